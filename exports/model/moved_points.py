"""The points of areas that maps have in place of those of the source, which lie far outside of the areas. Read from a release."""

from __future__ import annotations

import json
from pathlib import Path

from exports.model import layout


def moved_points(folder: Path) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude by area, as the list of boundaries of the release in `folder` has them; empty without boundaries."""
    path = folder / layout.BOUNDARIES
    if not path.is_file():
        return {}
    levels = json.loads(path.read_bytes())["levels"]
    return {ref: (float(lon), float(lat)) for level in levels for ref, (lon, lat) in level.get("points", {}).items()}

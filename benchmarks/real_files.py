"""Where the files of packs/cz are for a benchmark: the mirror beside the project, or the folder that ZPO2_MIRROR names."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def mirror() -> Path | None:
    """Return the folder of the files. If there is none, say so and return None."""
    folder = Path(os.environ.get("ZPO2_MIRROR") or PROJECT.parent / "shared" / "data" / "mirror")
    if folder.is_dir():
        return folder
    print(f"not measured: {folder} does not exist; ZPO2_MIRROR may name the folder of the pack's files")
    return None

"""Writes a pack of a few areas and one table of figures, for tests of formulas."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

LEVELS = ("town", "county", "land")
HEAD = {"publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "read": {"format": "csv"}}


def indicator(name: str, formula: Mapping[str, Any], levels: Sequence[str] = LEVELS, **more: Any) -> dict[str, Any]:
    """Return an indicator with a formula."""
    return {
        "id": name,
        "title": name,
        "objective": "ZPO2-1",
        "unit": "1",
        "direction": "none",
        "levels": list(levels),
        "formula": formula,
        **more,
    }


def write(
    folder: Path,
    areas: Mapping[str, Sequence[str]],
    figures: str,
    indicators: Sequence[Mapping[str, Any]],
    measures: Mapping[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Write the pack into `folder`, and return it.

    `areas` has the towns of each county, all in the land `L`. `figures` is CSV with period, code, optionally sex and status, and a column for each
    measure, which `measures` can declare in another way. `km2` has surfaces of towns. Further keys belong to pack.yml, or to the source if they
    are in `source`.
    """
    km2: Mapping[str, float] = more.pop("km2", {})
    source: dict[str, Any] = more.pop("source", {})
    columns = figures.split("\n", 1)[0].split(",")
    known = ("period", "code", "sex", "status")
    declared = {name: name for name in columns if name not in known} | dict(measures or {})
    place: dict[str, Any] = {"area": {"ref_area": "code"}, "period": "period", "measures": declared}
    place |= {name: name for name in ("sex", "status") if name in columns}
    levels = [{"id": level, "parents": list(LEVELS[i + 1 : i + 2])} for i, level in enumerate(LEVELS)]
    rows = [("L", "land", "", "", ""), *((county, "county", "", "L", "") for county in areas)]
    rows += [(town, "town", county, "", str(km2.get(town, ""))) for county, towns in areas.items() for town in towns]
    area = {"ref_area": "code", "level": "level", "name": "code", "area_km2": "km2", "parents": {"county": "county", "land": "land"}}
    files: dict[str, Any] = {
        "pack.yml": {"id": "small", "title": "Small", "country": "XX", "levels": levels, **more},
        "sources/areas.yml": {
            **HEAD, "id": "areas", "title": "A", "fetch": {"url": "data/areas.csv"},
            "columns": {**{name: {} for name in ("code", "level", "county", "land")}, "km2": {"type": "number"}}, "into": "areas",
            "map": {"area": area},
        },
        "sources/figures.yml": {
            **HEAD, "id": "figures", "title": "F", "fetch": {"url": "data/figures.csv"},
            "columns": {name: {} if name in known else {"type": "number"} for name in columns}, "into": "observations", "map": place, **source,
        },
        "indicators/all.yml": list(indicators),
        "data/areas.csv": "code,level,county,land,km2\n" + "".join(",".join(row) + "\n" for row in rows),
        "data/figures.csv": figures,
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def add_changes(folder: Path, *changes: str, existed: Collection[str] = ()) -> None:
    """Add changes of areas to a pack: each is the area that is left, the one that continues it, and the day, with commas.

    An area that only continues others begins on that day, unless it `existed` before.
    """
    rows = [change.split(",") for change in changes]
    begun = {new: day for _, new, day in rows if new not in {*existed, *(old for old, _, _ in rows)}}
    of_file: dict[str, Any] = {"columns": {"old": {}, "new": {}, "day": {"type": "date"}}}
    area = {"ref_area": "new", "level": "'town'", "valid_from": "day"}
    sources: dict[str, dict[str, Any]] = {
        "changes": {"into": "area_changes", "map": {"from": "old", "to": "new", "on": "day"}},
        "begun": {"into": "areas", "map": {"area": area}},
    }
    for name, how in sources.items():
        source = {**HEAD, "id": name, "title": name, "fetch": {"url": f"data/{name}.csv"}, **of_file, **how}
        (folder / "sources" / f"{name}.yml").write_text(json.dumps(source), encoding="utf-8")
    tables = {"changes": rows, "begun": [["", new, day] for new, day in begun.items()]}
    for name, table in tables.items():
        text = "old,new,day\n" + "".join(",".join(row) + "\n" for row in table)
        (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8")

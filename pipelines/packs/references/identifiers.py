"""Identifiers that become names of files and columns: none may be another one on a system that ignores case, or no name of a file at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.core.yaml import KeyPath
from pipelines.packs.references.names import Names

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
"""Names that Windows keeps for devices, in any case and with any ending."""
COLUMNS = {"ref_area", "name", "level", "area_key"}
"""Columns of the table of latest values, and of the query that makes it, which has a column for each indicator."""


def check(names: Names) -> None:
    """Report identifiers of the pack and its blocks that cannot be names of files, and those of one kind that differ only in case."""
    pack = names.pack
    levels: dict[str, tuple[str, KeyPath]] = {level.id: ("pack", ("levels", i, "id")) for i, level in enumerate(pack.file.levels)}
    _check(names, {pack.id: ("pack", ("id",))})
    _check(names, levels)
    _check(names, _of_blocks("source", (*pack.sources, *pack.counted)))
    _check(names, _of_blocks("indicators", pack.indicators))
    _check(names, _of_blocks("indices", pack.indices))
    for name in pack.indicators:
        if name.lower() in COLUMNS:
            names.report(f"indicators:{name}", ("id",), f"{name}: latest_values has a column of this name; choose another one")


def _of_blocks(kind: str, ids: Iterable[str]) -> dict[str, tuple[str, KeyPath]]:
    return {name: (f"{kind}:{name}", ("id",)) for name in ids}


def _check(names: Names, places: Mapping[str, tuple[str, KeyPath]]) -> None:
    """Report faults of identifiers of one kind. `places` has the block and the key of each."""
    seen: dict[str, str] = {}
    for name, (block, path) in places.items():
        if name.lower() in RESERVED:
            names.report(block, path, f"{name}: Windows has no files of this name; choose another one")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            names.report(block, path, f"{name}: differs from {other} only in case, and some systems and programs ignore it")

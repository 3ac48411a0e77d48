"""Checks across the blocks of a pack: names that must exist, orders, formats, SQL expressions. One module per kind of file."""

from __future__ import annotations

from pipelines.packs.pack import Pack
from pipelines.packs.references import confidentiality, identifiers, indicators, indices, pack_file, sources
from pipelines.packs.references.files import check_files
from pipelines.packs.references.names import Names, Report

__all__ = ["check_files", "check_references"]


def check_references(pack: Pack, report: Report) -> None:
    """Call `report` (block, key path inside it, message) for every fault of a pack whose blocks are valid one by one."""
    names = Names(pack, report)
    pack_file.check(names)
    identifiers.check(names)
    for source in pack.sources.values():
        sources.check_fetched(names, source)
    for counted in pack.counted.values():
        sources.check_counted(names, counted)
    for indicator in pack.indicators.values():
        indicators.check(names, indicator)
    for index in pack.indices.values():
        indices.check(names, index)
    confidentiality.check(names)

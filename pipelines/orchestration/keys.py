"""The keys and owners of a pack's assets. Keys begin with the pack's identifier, so several packs can live in one Dagster instance."""

from __future__ import annotations

import dagster as dg

from pipelines.packs import Pack
from pipelines.packs.schema import SourceHead

DEFAULT_OWNERS = ["team:data-engineering"]


def source_key(pack: Pack, source: str) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "source", source])


def lake_table_key(pack: Pack, kind: str) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "lake", kind])


def statistics_key(pack: Pack, table: str) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "statistics", table])


def suppression_key(pack: Pack, table: str) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "suppression", table])


def gate_key(pack: Pack) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "gate"])


def gate_check_key(pack: Pack) -> dg.AssetCheckKey:
    """Return the key of the check with the verdict, which the release reads."""
    return dg.AssetCheckKey(gate_key(pack), "verdict")


def release_key(pack: Pack) -> dg.AssetKey:
    return dg.AssetKey([pack.id, "release"])


def owners_of(pack: Pack, source: SourceHead | None = None) -> list[str]:
    """Return the owners of a source, or of the assets that belong to no single source, as Dagster writes them."""
    return list((source.owners if source else None) or pack.file.owners or DEFAULT_OWNERS)


def tags_of(pack: Pack, source: SourceHead | None = None) -> dict[str, str]:
    """Return the tags of a source, or of the assets that belong to no single source, with those of the pack."""
    return {**pack.file.tags, **(source.tags if source else {})}

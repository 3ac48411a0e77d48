"""The inputs of a release, as digests by source, indicator and index: a later release uses them to say why a number changed.

A digest covers what numbers depend on. It leaves out titles, addresses, display settings, licences, and parts without data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from exports.model.provenance import IndexFacts, IndicatorFacts, Provenance, SourceFacts
from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.lake.manifest import Manifest, ManifestSource
from pipelines.lake.store import Lake
from pipelines.packs import Pack
from pipelines.packs import compile as declarations
from pipelines.packs.schema import Block, CountedSource, FetchedSource
from pipelines.packs.workspace import Workspace

OF_SOURCE = {"read", "columns", "key", "lookups", "into", "map", "universe"}
OF_COUNTED = {"from_", "where", "period", "measures", "universe"}
OF_INDICATOR = {"unit", "direction", "target_value", "formula", "by", "levels", "rollup", "convergence"}
NOT_OF_INDEX = {"id", "title"}
OF_PACK = {"country", "timezone", "weight", "min_coverage", "min_available", "peers"}


def of_run(workspace: Workspace) -> Provenance:
    """Return the provenance of the current state of the lake."""
    manifest = Manifest.current(workspace)
    changes = Lake(workspace.lake).read_all(manifest.files.get("area_changes", []), "area_changes")
    return of_state(workspace.pack, manifest.sources, changes)


def of_state(pack: Pack, state: Mapping[str, ManifestSource], changes: pl.DataFrame) -> Provenance:
    """Return the record of `pack`; `state` are the sources of a manifest with the snapshots that were used, and `changes` are the
    changes of areas, rows of `territory.CHANGE`."""
    frames = declarations.compile_pack(pack)
    filled: dict[str, set[str]] = {}
    for row in frames["measures"].iter_rows(named=True):
        filled.setdefault(row["measure"], set()).add(row["source"])
    used: dict[str, set[str]] = {}
    for row in frames["terms"].iter_rows(named=True):
        used.setdefault(row["indicator"], set()).update(m for m in (row["measure"], row["times"]) if m)
    leaves: dict[str, set[str]] = {}
    for row in frames["index_nodes"].iter_rows(named=True):
        leaves.setdefault(row["index_id"], set()).update([row["indicator"]] if row["indicator"] else [])

    def sources_of(measures: set[str]) -> list[str]:
        return pack.with_looked_up({source for measure in measures for source in filled.get(measure, ())})

    return Provenance(
        sources={
            **{name: _fetched(source, state) for name, source in sorted(pack.sources.items()) if name in state},
            **{name: _counted(pack, source, state) for name, source in sorted(pack.counted.items()) if source.enabled},
        },
        indicators={
            name: IndicatorFacts(_digest(indicator, OF_INDICATOR), sources_of(used.get(name, set())))
            for name, indicator in sorted(pack.indicators.items())
        },
        indices={
            name: IndexFacts(_digest(index, set(type(index).model_fields) - NOT_OF_INDEX), sorted(leaves.get(name, ())))
            for name, index in sorted(pack.indices.items())
        },
        shared=sorted(_shared(pack, used, sources_of)),
        area_changes=sorted(
            [row[0], row[1], row[2], row[3] or ""]
            for row in changes.select(pl.col("from_area", "to_area", "changed_on", "share").cast(pl.String)).unique().iter_rows()
        ),
        breaks=[_break(row) for row in frames["breaks"].iter_rows(named=True)],
        settings=digest([_digest(pack.file, OF_PACK), [[level.id, level.parents] for level in pack.file.levels]]),
        code=versions.STAGES,
    )


def _break(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a break with its note, which also has a member for each language that it is declared in."""
    notes = json.loads(row["notes"]) if row["notes"] else {}
    return {name: row[name] for name in ("source", "measure", "period", "note")} | {f"note_{lang}": text for lang, text in notes.items()}


def _fetched(source: FetchedSource, state: Mapping[str, ManifestSource]) -> SourceFacts:
    corrections = digest([c.model_dump(mode="json") for c in source.corrections])
    return SourceFacts(_parts(source.id, state), _digest(source, OF_SOURCE if source.lookups else OF_SOURCE - {"lookups"}), corrections)


def _counted(pack: Pack, source: CountedSource, state: Mapping[str, ManifestSource]) -> SourceFacts:
    """A count depends on all sources of the kind that it counts."""
    feeds = [s for _, s in sorted(pack.sources.items()) if s.into == source.from_ and s.id in state]
    facts = [_fetched(feed, state) for feed in feeds]
    parts = {f"{feed.id}/{part}": sha256 for feed, f in zip(feeds, facts, strict=True) for part, sha256 in f.parts.items()}
    known = [[feed.id, f.declaration] for feed, f in zip(feeds, facts, strict=True)]
    corrections = digest([[feed.id, f.corrections] for feed, f in zip(feeds, facts, strict=True)])
    return SourceFacts(parts, digest([_digest(source, OF_COUNTED), known]), corrections)


def _parts(source: str, state: Mapping[str, ManifestSource]) -> dict[str, str]:
    return {name: part.snapshot for name, part in sorted(state[source].parts.items())}


def _shared(pack: Pack, used: dict[str, set[str]], sources_of: Any) -> set[str]:
    """Return the sources of the weights and of what makes peers: any row may depend on them."""
    names = {pack.file.weight} if pack.file.weight else set()
    names |= set(pack.file.peers.by) if pack.file.peers else set()
    measures = {m for name in names for m in (used.get(name) or {name})}
    return set(sources_of(measures))


def _digest(block: Block, keys: set[str]) -> str:
    return digest(block.model_dump(mode="json", include=keys))

"""One source beside three areas, fetched and ingested without a warehouse: what is in the lake, in quarantine, and in the counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.http.limits import Limits
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.ingest.context import Context
from pipelines.lake.quarantine import quarantine_frame
from pipelines.packs.workspace import Workspace

PACK = """\
id: small
title: Small
country: CZ
licence: CC0-1.0
levels: [{id: town, parents: [county]}, {id: county}]
"""

AREAS = """\
id: a_areas
title: Areas
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {required: true}, level: {}, county: {}}
into: areas
map: {area: {ref_area: code, level: level, name: code, codes: {office: code}, parents: {county: county}}}
"""
AREAS_CSV = "code,level,county\nt1,town,C\nt2,town,C\nt3,town,C\nC,county,\n"
HEAD = "id: {id}\ntitle: T\npublisher: P\nlicence: CC0-1.0\ntheme: municipal\n"
OBSERVED = "into: observations\nmap: {area: {scheme: office, code: code}, period: \"'2024'\", measures: {m: v}}\n"


@dataclass(frozen=True)
class Ingested:
    """What became of the source `s`: its report, and its rows in the lake."""

    context: Context
    reports: dict[str, SourceReport]
    report: SourceReport
    frame: pl.DataFrame
    quarantine: pl.DataFrame

    def of(self, source: str) -> Ingested:
        """Return what became of another source of the pack."""
        return _of(self.context, self.reports, source)

    def values(self) -> dict[tuple[str, str], Any]:
        """Return the values of observations by area and period."""
        rows = self.frame.filter(pl.col("measure").is_not_null())
        return {(area, period): value for area, period, value in rows.select("ref_area", "time_period", "obs_value").iter_rows()}

    def by_area(self) -> dict[str, Any]:
        """Return the values of observations by area, where there is one period."""
        return {area: value for (area, _), value in self.values().items()}

    def reasons(self) -> list[tuple[int, str | None, str]]:
        """Return row, column and reason of every entry in quarantine."""
        return list(self.quarantine.select("row_number", "column", "reason").iter_rows())

    def counts(self) -> tuple[int, int, int, dict[str, int]]:
        """Return the numbers of rows that were read, accepted and quarantined, and the ignored ones by reason."""
        receipts = list(self.report.parts.values())
        ignored: dict[str, int] = {}
        for receipt in receipts:
            for reason, count in receipt.ignored.items():
                ignored[reason] = ignored.get(reason, 0) + count
        return sum(r.rows_read for r in receipts), sum(r.accepted for r in receipts), sum(r.quarantined for r in receipts), ignored


def write(folder: Path, source: str, files: Mapping[str, bytes | str], pack: str = "", **more: str) -> Path:
    """Write a pack with the source `s` (YAML below its head), its files in `data/`, and further files (`sources__x_yml`)."""
    texts: dict[str, bytes | str] = {
        "pack.yml": PACK + pack, "sources/a_areas.yml": AREAS, "data/areas.csv": AREAS_CSV, "sources/s.yml": HEAD.format(id="s") + source,
    }  # fmt: skip
    texts |= {f"data/{name}": content for name, content in files.items()}
    texts |= {name.replace("__", "/").replace("_yml", ".yml").replace("_csv", ".csv"): text for name, text in more.items()}
    for name, content in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def ingest(folder: Path, source: str, files: Mapping[str, bytes | str], pack: str = "", **more: str) -> Ingested:
    """Fetch and ingest the pack of `write`, and return what became of the source `s`."""
    root = write(folder / "pack", source, files, pack, **more)
    settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=1_760_000_000)
    workspace = Workspace(folder / "home", settings, pack=packs.load(root))
    results = {r.request.source.id: r.error for r in fetch_sources(workspace, limits=Limits(retries=0, backoff=0))}
    assert results["a_areas"] is None
    ingested = Ingest(workspace)
    return _of(ingested.context, ingested.run(), "s")


def _of(context: Context, reports: dict[str, SourceReport], source: str) -> Ingested:
    report = reports[source]
    kind = {"areas": "area_rows", "counted": "observations"}.get(report.kind, report.kind)
    frame = context.lake.read_all(report.files(kind), kind)
    return Ingested(context, reports, report, frame, quarantine_frame(context.workspace, source))

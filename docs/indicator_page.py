"""Generate the page of the indicators of packs/cz: objective, measure, indicator, sources, coverage, and the list of gaps.

The coverage is in a small file beside this module, written from a release, so that the page can be made and checked without the data.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from pipelines.packs import Pack
from pipelines.packs.compile import formula_text
from pipelines.packs.loading import load
from pipelines.packs.objectives import MEASURES, OBJECTIVES
from pipelines.packs.schema import Indicator, ObservationsMap

COVERAGE = Path(__file__).resolve().parent / "coverage.csv"
COLUMNS = ["indicator", "level", "time_period", "expected", "available"]
FEEDS = Path(__file__).resolve().parent / "local-feeds"
COHESION = (
    " Tables of dispersion, convergence and gaps between women and men exist for every indicator. The indicators below describe the areas "
    "themselves."
)


def read_coverage(release: Path) -> list[dict[str, str]]:
    """Return for each indicator its last period with values at its finest level with values: expected areas, areas with a value."""
    import duckdb

    rows = duckdb.execute(
        f"""
        select c.indicator, c.level, c.time_period, c.expected, c.available
        from '{release}/parquet/coverage.parquet' as c
        inner join (select level, count(*) as areas from '{release}/parquet/areas.parquet' group by level) as l on l.level = c.level
        where c.sex = '_T' and c.available > 0
        qualify row_number() over (partition by c.indicator order by l.areas desc, c.time_period desc) = 1
        order by c.indicator
        """
    ).fetchall()
    return [dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows]


def write_coverage(release: Path) -> None:
    """Write the coverage of a release beside this module."""
    with COVERAGE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(read_coverage(release))


def committed_coverage() -> list[dict[str, str]]:
    with COVERAGE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def render(folder: Path) -> str:
    """Return the page for the pack in `folder`."""
    pack = load(folder)
    covered = {row["indicator"]: row for row in committed_coverage()}
    feeds = {path.stem for path in FEEDS.glob("*/") if path.is_dir()}
    groups: dict[str, dict[int, list[Indicator]]] = defaultdict(lambda: defaultdict(list))
    for indicator in pack.indicators.values():
        groups[indicator.objective][indicator.measure or 0].append(indicator)
    computed = sum(i.id in covered for i in pack.indicators.values())
    parts = [
        "# Indicators of packs/cz\n",
        "This page is for analysts and municipalities. It shows which indicators `packs/cz` has, from which sources, how complete they are, "
        "and which data are still missing.\n",
        f"{len(pack.indicators)} indicators are declared, and {computed} of them have data. Coverage is the number of areas with a value over "
        "the number of expected areas, in the last period at the finest level. [methods.md](methods.md) explains how values are made, "
        "[tables.md](tables.md) lists the published tables, and the [glossary](glossary.md) explains the terms.\n",
    ]
    for objective in sorted(groups):
        parts.append(f"## {objective}\n\n{OBJECTIVES[objective]['en']}.{COHESION if objective == 'ZPO2-1' else ''}\n")
        for measure in sorted(groups[objective]):
            name = f"Measure {measure}: {MEASURES[objective, measure]['en']}" if measure else "Without a measure"
            parts.append(f"### {objective}, {name[0].lower()}{name[1:]}\n")
            there = [i for i in groups[objective][measure] if i.id in covered]
            if there:
                parts.append(_computed(pack, there, covered))
            if gaps := [i for i in groups[objective][measure] if i.id not in covered]:
                parts.append(_gaps(pack, gaps, feeds))
    return "\n".join(parts)


def _computed(pack: Pack, indicators: list[Indicator], covered: dict[str, dict[str, str]]) -> str:
    lines = ["| indicator | unit | better value | formula | SDG | sources | coverage |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for indicator in indicators:
        row = covered[indicator.id]
        share = 100 * int(row["available"]) / int(row["expected"])
        direction = {"higher_better": "higher", "lower_better": "lower", "none": "neither"}.get(
            indicator.direction, f"{indicator.target_value:g}" if indicator.target_value is not None else ""
        )
        title = pack.text(indicator.title) + ("; by sex" if "sex" in indicator.by else "")
        notes = "".join(f"; {reference}" for reference in indicator.references)
        cells = [
            f"**{title}**<br>`{indicator.id}`{notes}",
            pack.text(indicator.unit),
            direction,
            f"`{formula_text(indicator)}`",
            indicator.sdg or "",
            ", ".join(f"`{s}`" for s in _sources(pack, indicator)),
            f"{row['time_period']}: {row['available']} of {row['expected']} ({row['level']}), {share:.1f} %",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _gaps(pack: Pack, indicators: list[Indicator], feeds: set[str]) -> str:
    lines = ["Not collected yet:\n"]
    for indicator in indicators:
        needed = (pack.text(indicator.needed.what) if indicator.needed else "") or "data for the areas of its levels"
        local = f" A municipality can supply the data: [template](local-feeds/{indicator.id}/)." if indicator.id in feeds else ""
        lines.append(f"- **{pack.text(indicator.title)}** (`{indicator.id}`, {pack.text(indicator.unit)}): {needed}{local}")
    return "\n".join(lines) + "\n"


def _sources(pack: Pack, indicator: Indicator) -> list[str]:
    terms = [*indicator.formula.numerator, *indicator.formula.denominator] if indicator.formula else []
    used = {m for t in terms for m in (t.measure, t.times) if m}
    names = {s.id for s in pack.sources.values() if s.enabled and isinstance(s.map, ObservationsMap) and used & set(s.map.measures)}
    names |= {c.id for c in pack.counted.values() if used & set(c.measures)}
    return sorted(names)

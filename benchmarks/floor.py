"""The floor: what packs/cz costs with bare polars, DuckDB and pyarrow in one process - the same files, the same formulas, CSV and Parquet.

It knows this one pack, trusts its files, and keeps nothing: no contracts, no quarantine, no lake, no tests, no gate, no release.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import floor_reading
import polars as pl
import pyarrow.parquet as pq
import yaml
from floor_sql import DISPERSION, EVALUATE, FACTS, INDICATORS, KEYS, PUBLISHED, WEIGHTED

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirror", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    times = {}
    for step, seconds in run(PROJECT / "packs" / "cz", arguments.mirror, arguments.out):
        times[step] = round(seconds, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(time.perf_counter() - started, 2), "steps": times, "peak_mb": round(peak)}))


def run(pack: Path, mirror: Path, out: Path) -> Iterator[tuple[str, float]]:
    """Make the tables of `pack` from the files in `mirror`, below `out`; yield the seconds of each step."""
    clock = time.perf_counter()

    def lap() -> float:
        nonlocal clock
        before, clock = clock, time.perf_counter()
        return clock - before

    files = floor_reading.Files(pack, mirror)
    tables = floor_reading.territory(files)
    observations = floor_reading.observations(files, tables["area_codes"])
    yield "read", lap()
    connection = duckdb.connect()
    indicators = [i for path in sorted((pack / "indicators").glob("*.yml")) for i in yaml.safe_load(path.read_text(encoding="utf-8"))]
    facts = {
        **tables, "observed": observations, "snapshots": pl.DataFrame(files.snapshots), "indicators": pl.DataFrame(_indicators(indicators)),
        "terms": pl.DataFrame(_terms(indicators)), "indicator_levels": pl.DataFrame(_levels(indicators)),
        "sources": pl.DataFrame(
            [{"source": n, "title": s["title"]["en"], "licence": s.get("licence", "")} for n, s in files.declared.items() if "title" in s]
        ),
    }  # fmt: skip
    for name, frame in facts.items():
        connection.register(f"_{name}", frame.to_arrow())
        connection.execute(f"create table {name} as select * from _{name}")
    for statement in (*FACTS, *EVALUATE):
        connection.execute(statement)
    yield "indicators", lap()
    connection.execute(DISPERSION)
    connection.execute(WEIGHTED)
    yield "dispersion", lap()
    for path in sorted((pack / "indices").glob("*.yml")):
        _index(connection, yaml.safe_load(path.read_text(encoding="utf-8")), {i["id"]: i for i in indicators})
    for statement in INDICATORS:
        connection.execute(statement)
    yield "indices and other tables", lap()
    for folder in ("csv", "parquet"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for table, query in PUBLISHED.items():
        frame = pl.from_arrow(connection.execute(f"{query} order by {', '.join(KEYS[table])}").to_arrow_table())
        assert isinstance(frame, pl.DataFrame)
        frame = frame.with_columns(pl.col(pl.Float64).round_sig_figs(12))
        frame.write_csv(out / "csv" / f"{table}.csv")
        pq.write_table(frame.to_arrow(), out / "parquet" / f"{table}.parquet", compression="zstd", write_page_index=True)
    yield "write", lap()


def _indicators(indicators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for item in indicators:
        formula = item.get("formula") or {}
        window, change = formula.get("window") or {}, formula.get("change") or {}
        rows.append(
            {
                "indicator": item["id"], "title": item["title"]["en"], "objective": item["objective"], "unit": _english(item["unit"]),
                "direction": item["direction"], "collected": bool(formula), "multiplier": float(formula.get("multiplier", 1)),
                "has_denominator": bool(formula.get("denominator")), "missing_zero": formula.get("missing") == "zero",
                "by_sex": "sex" in item.get("by", []), "window_years": int(window.get("years", 1)), "change_years": int(change.get("years", 0)),
                "change_kind": str(change.get("kind", "percent" if change else "")), "last_level": (item.get("levels") or ["nuts0"])[-1],
            }
        )  # fmt: skip
    return rows


def _english(text: str | dict[str, str]) -> str:
    return text if isinstance(text, str) else text["en"]


def _terms(indicators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "indicator": item["id"], "side": side, "measure": term["measure"], "times": term.get("times", ""),
            "factor": float(term.get("factor", 1)),
            "sex": str(term.get("sex") or ""), "lag": int(term.get("lag", 0)),
        }
        for item in indicators
        for side in ("numerator", "denominator")
        for term in (item.get("formula") or {}).get(side, [])
    ]  # fmt: skip


def _levels(indicators: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"indicator": item["id"], "level": level} for item in indicators for level in item.get("levels", [])]


def _index(connection: duckdb.DuckDBPyConnection, index: dict[str, Any], indicators: dict[str, dict[str, Any]]) -> None:
    """Score the areas of an index: minmax between bounds, clipped; arithmetic means of fields, at least 0.6 of the parts there."""
    leaves = []
    for field in index["components"]:
        for leaf in field["components"]:
            item = indicators[leaf["indicator"]]
            worst, best = leaf.get("bounds") or (None, None)
            leaves.append((index["id"], field["id"], leaf["indicator"], worst, best, item["direction"], item.get("target_value")))
    schema = ["index", "component", "indicator", "worst", "best", "direction", "target"]
    connection.register("_leaves", pl.DataFrame(leaves, schema=schema, orient="row", infer_schema_length=None).to_arrow())
    connection.execute(
        """
        create or replace temp table scored as
        with last as (
            select v.indicator, max(v.time_period) as time_period from indicator_values as v inner join _leaves as l using (indicator)
            where v.level = 'lau' and v.obs_value is not null group by 1
        ),
        raw as (
            select l.index, l.component, l.indicator, v.ref_area, v.time_period, v.obs_value as raw, l.worst, l.best,
                case l.direction when 'target' then -abs(v.obs_value - l.target) when 'lower_better' then -v.obs_value else v.obs_value end as x
            from indicator_values as v inner join last using (indicator, time_period) inner join _leaves as l using (indicator)
            where v.sex = '_T' and v.level = 'lau'
        )
        select *, case when worst is not null then greatest(0, least(100, 100 * (raw - worst) / (best - worst)))
            else 100 * (x - min(x) over w) / nullif(max(x) over w - min(x) over w, 0) end as score
        from raw window w as (partition by indicator)
        """
    )
    connection.execute("insert into index_components select index, component, indicator, ref_area, time_period, raw, score from scored")
    connection.execute(
        """
        insert into scores
        with newest as (select max(time_period) as time_period from scored),
        fields as (
            select index, component, ref_area, count(score) as n_available, count(*) as n_expected,
                case when count(score) >= 0.6 * count(*) then avg(score) end as score
            from scored group by all
        ),
        whole as (
            select index, index as component, ref_area, sum(n_available) as n_available, sum(n_expected) as n_expected,
                case when count(score) >= 0.6 * count(*) then avg(score) end as score
            from fields group by all
        )
        select f.*, n.time_period, case when f.score is not null then rank() over (partition by f.component order by f.score desc nulls last) end
        from (select * from fields union all select * from whole) as f cross join newest as n
        """
    )


if __name__ == "__main__":
    main()

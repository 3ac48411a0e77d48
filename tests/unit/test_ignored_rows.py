"""`read.ignore` is evaluated on all files of a source at once: what is wrong with one file or row stays with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.lake import sandbox, sandbox_database
from tests.support import five_places
from tests.unit.test_one_bad_source import ingest

SOURCE = """\
id: sizes
title: Sizes
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: "data/sizes_{part}.csv", parts: {part: [plain, capitals, twice, without, empty, total]}}
read: {format: csv, ignore: "cast(SIZE as integer) = 0"}
columns: {code: {required: true}, part: {}}
into: observations
map: {area: {ref_area: code}, period: "'2021'", sex: "'_T'", measures: {sizes: "1"}}
"""
FILES = {
    "plain": "code,size\na1,0\na2,1\na3,many\n",
    "capitals": "code,Size\na1,2\na2,0\n",
    "twice": "code,size,Size\na4,1,1\n",
    "without": "code,other\na4,1\n",
    "empty": "code,SIZE\n",
    "total": "SIZE,code\n0,a4\n0,a5\n3,a5\n",
}


def test_a_fault_stays_with_its_file_and_row(tmp_path: Path) -> None:
    files = {f"data__sizes_{part}_csv": text for part, text in FILES.items()}
    report = ingest(tmp_path, sources__sizes_yml=SOURCE, **files)["sizes"]
    counts = {
        part.removeprefix("part="): (receipt.rows_read, receipt.ignored, receipt.quarantined) for part, receipt in report.parts.items()
    }
    assert counts == {
        "plain": (3, {"ignore": 1}, 1),
        "capitals": (2, {"ignore": 1}, 0),
        "empty": (0, {}, 0),
        "total": (3, {"ignore": 2}, 0),
    }
    assert "which differ only in case" in report.errors["part=twice"]
    assert "read.ignore: the file has no column" in report.errors["part=without"]
    assert set(report.errors) == {"part=twice", "part=without"}


@pytest.mark.parametrize(("ignore", "left"), [("true", 0), ("false", 20)])
def test_a_condition_without_columns(tmp_path: Path, ignore: str, left: int) -> None:
    people = five_places.PEOPLE.replace("code = 'Total'", ignore)
    assert sum(receipt.accepted for receipt in ingest(tmp_path, sources__people_yml=people)["people"].parts.values()) == left


@pytest.mark.slow
def test_a_file_that_exceeds_the_limits_does_not_refuse_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    source = SOURCE.replace("cast(SIZE as integer) = 0", "regexp_matches(size, '(x?x?x?){300}y')").replace(
        "twice, without, empty", "twice, empty"
    )
    texts = {"plain": "a1,0\n", "capitals": f"a2,{'x' * 3_000_000}\n", "twice": "a3,1\n", "empty": "", "total": "a4,2\n"}
    files = {f"data__sizes_{part}_csv": f"code,size\n{text}" for part, text in texts.items()}
    report = ingest(tmp_path, sources__sizes_yml=source, **files)["sizes"]
    assert {part: receipt.accepted for part, receipt in report.parts.items()} == {
        "part=plain": 1, "part=twice": 1, "part=empty": 0, "part=total": 1,
    }  # fmt: skip
    assert set(report.errors) == {"part=capitals"}
    assert report.errors["part=capitals"].startswith("data/sizes_capitals.csv: the expressions: stopped after 1 seconds")


SUMS = """\
id: sums
title: Sums
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/sums.csv}
read: {format: csv}
columns: {code: {required: true}, n: {type: number}}
into: observations
map: {area: {ref_area: code}, period: "'2021'", sex: "'_T'", measures: {sums: {value: n, aggregate: sum}}}
"""


def test_a_sum_that_is_no_number_is_refused(tmp_path: Path) -> None:
    report = ingest(tmp_path, sources__sums_yml=SUMS, data__sums_csv=f"code,n\na1,{'9' * 308}\na1,{'9' * 308}\na2,1\n")["sums"]
    assert "too large for a number" in report.errors[""]


def test_an_aggregation_that_needs_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_database, "MEMORY", "1MB")
    rows = "".join(f"a{n % 5 + 1},{n}\n" for n in range(200_000))
    report = ingest(tmp_path, sources__sums_yml=SUMS, data__sums_csv=f"code,n\n{rows}")["sums"]
    assert "map.measures.sums: its rows need more than 1MB" in report.errors[""]

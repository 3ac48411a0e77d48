"""The whole corpus of hostile and broken files in one real run: good rows in the lake, bad ones in quarantine, memory bounded, a release."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import current_release
from tests.hostile import archives, books, dates, encodings, expressions, keys, markup, numbers, pack, shapes, texts
from tests.hostile.case import Case
from tests.hostile.state import State
from tests.support.command import EPOCH, PROJECT, environment, zpo2

pytestmark = pytest.mark.slow

CASES: list[Case] = [
    case for module in (encodings, numbers, shapes, dates, keys, texts, archives, markup, books, expressions) for case in module.CASES
]
MAX_RESIDENT = 3 * 1024**3  # bytes of the largest process of the run; the file with the largest honest content needs a tenth of it

# runs the command as a child and says how much memory its largest process had
MEASURED = """\
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "pipelines.cli", *sys.argv[1:]], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr, "peak": peak}))
"""


@dataclass(frozen=True)
class Ran:
    """The run of the corpus and what it left."""

    pack: Path
    home: Path
    code: int
    out: str
    err: str
    peak: int
    state: State


def selected(session: pytest.Session) -> list[Case]:
    """Return the cases whose outcome this session tests: all of them, or those that `-k` leaves."""
    items = [item for item in session.items if isinstance(item, pytest.Function) and item.originalname == TestCorpus.test_outcome.__name__]
    return [case for case in CASES if any(item.callspec.params["case"] is case for item in items)]


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    root = tmp_path_factory.mktemp("hostile")
    folder, home = pack.write(root / "pack", selected(request.session)), root / "home"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "run", "--pack", str(folder), "--home", str(home)],
        env=environment(SOURCE_DATE_EPOCH=EPOCH), cwd=PROJECT, capture_output=True, text=True, timeout=900, check=True,
    )  # fmt: skip
    measured: dict[str, Any] = json.loads(done.stdout)
    status = json.loads(zpo2("status", "--pack", folder, "--home", home, "--json").stdout)
    counts = json.loads((home / "last_run.json").read_text(encoding="utf-8"))["sources"]
    errors = {source["source"]: "; ".join(source["errors"]) for source in status["sources"]}
    assert (home / "manifests" / "current.json").is_file(), measured["out"] + measured["err"]
    return Ran(folder, home, measured["code"], measured["out"], measured["err"], measured["peak"], State(home, counts, errors))


class TestCorpus:
    def test_names_are_unique(self) -> None:
        names = [case.id for case in CASES]
        assert len(names) == len(set(names))
        assert len(names) >= 100

    @pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
    def test_outcome(self, ran: Ran, case: Case) -> None:
        assert ran.state.differences(case) == []

    def test_run_names_refused_sources(self, ran: Ran) -> None:
        assert ran.code == 3, ran.out[-3000:] + ran.err[-3000:]
        last = ran.out.splitlines()[-1]
        assert last.startswith("stale ")
        named = set(re.findall(r"(\w+) \(since", last))
        assert named == {case.id for case in CASES if case.outcome.refused is not None}

    def test_refused_sources_have_a_reason(self, ran: Ran) -> None:
        reported = {line.split(":")[0].removeprefix("source").strip() for line in ran.out.splitlines() if line.startswith("source ")}
        assert reported >= {case.id for case in CASES if case.outcome.refused is not None}
        assert "Traceback" not in ran.out + ran.err

    def test_no_row_is_lost(self, ran: Ran) -> None:
        release = current_release(ran.home)
        rows = duckdb.execute(
            f"select source, rows_read, rows_accepted + rows_quarantined + rows_ignored from '{release}/parquet/sources.parquet'"
        ).fetchall()
        assert {source for source, _, _ in rows} >= {case.id for case in CASES}
        assert [row for row in rows if row[1] != row[2]] == []

    def test_release_is_right(self, ran: Ran) -> None:
        release = current_release(ran.home)
        done = zpo2("verify", release)
        assert done.returncode == 0, done.stdout
        table = release / "parquet" / "indicator_values.parquet"
        result = duckdb.execute(
            f"select ref_area, obs_value, obs_status from '{table}' where indicator = 'population' and obs_value is not null"
        ).fetchall()
        assert ("CZ_554782", 10.0, "A") in result
        assert ("S", 150.0, "A") in result

    def test_memory_is_bounded(self, ran: Ran) -> None:
        assert ran.peak < MAX_RESIDENT

    def test_release_page_runs_no_scripts(self, ran: Ran) -> None:
        for page in current_release(ran.home).rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            assert texts.SCRIPT not in text
            assert "<img src=x" not in text

    def test_writes_only_to_the_home(self, ran: Ran) -> None:
        for name in ("zpo2-slip.csv", "zpo2-hostile.csv", "zpo2-hostile.db"):
            assert not [
                path
                for path in (Path(tempfile.gettempdir()) / name, Path("/var") / name, ran.home.parent / name, PROJECT / name)
                if path.exists()
            ]

    def test_quarantine_lists_every_bad_row(self, ran: Ran) -> None:
        done = zpo2("quarantine", "--pack", ran.pack, "--home", ran.home, "--json")
        listed = {(row["source"], row["row_number"], row["column"]) for row in json.loads(done.stdout)}
        expected = {(case.id, bad.row, bad.column) for case in CASES if case.outcome.refused is None for bad in case.outcome.bad}
        assert listed >= expected
        plain = zpo2("quarantine", "--pack", ran.pack, "--home", ran.home)
        assert plain.returncode == 0, plain.stderr
        assert "\x1b" not in plain.stdout  # a terminal would obey it


# -------------------------------------------------------------------------------------------------------------- expressions


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """`zpo2 check` on a pack with all expressions that must be refused, each in a source of its own."""
    folder = pack.write(tmp_path_factory.mktemp("expressions"), [])
    for refused in expressions.REFUSED:
        (folder / "sources" / f"{refused.id}.yml").write_text(refused.declaration(), encoding="utf-8")
    return zpo2("check", "--pack", folder, timeout=120)


class TestExpressions:
    @pytest.mark.parametrize("refused", expressions.REFUSED, ids=[refused.id for refused in expressions.REFUSED])
    def test_are_refused_by_check(self, checked: subprocess.CompletedProcess[str], refused: expressions.Refused) -> None:
        assert checked.returncode == 2, checked.stderr[-2000:]
        lines = [line for line in checked.stderr.splitlines() if line.startswith(f"sources/{refused.id}.yml:")]
        assert len(lines) == 1, lines
        place = expressions.PLACES[refused.place]
        assert re.match(rf"sources/{refused.id}\.yml:\d+: {re.escape(place)}: .*{re.escape(refused.reason)}", lines[0]), lines[0]

    def test_are_the_only_faults(self, checked: subprocess.CompletedProcess[str]) -> None:
        named = {line.split(":")[0] for line in checked.stderr.splitlines()}
        assert named == {f"sources/{refused.id}.yml" for refused in expressions.REFUSED}

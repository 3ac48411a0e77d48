"""Files that would end or exhaust their reader are refused with a reason; the run goes on, and publishes what the good source says."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.readers import ReadOptions, UnreadableSnapshot, isolated
from pipelines.readers.cells import Columns
from tests.hostile import pack
from tests.hostile.exhausting import CASES, Exhausting
from tests.support import command

LIMITS = isolated.Limits(memory=700_000_000, memory_per_byte=0, seconds=2, seconds_per_megabyte=0, rows=20_000_000)
MOST_MEMORY = 3_000_000_000
"""Bytes of all processes of the run together, with these limits."""
SMALL = [case for case in CASES if case.id in ("xlsx_far_cell", "xml_siblings", "csv_rows", "json_deep")]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_the_process_that_asked_reads_the_next_file(tmp_path: Path, case: Exhausting) -> None:
    hostile, good = tmp_path / "hostile", tmp_path / "good"
    case.write(hostile)
    good.write_text("code,value\n1,2\n", encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableSnapshot) as raised:
        isolated.read(hostile, ReadOptions.model_validate(case.read), Columns(None), LIMITS, tmp_path)
    assert str(raised.value).isprintable()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "this process did not read the file"
    assert isolated.read(good, ReadOptions(format="csv"), Columns(None), LIMITS, tmp_path)["value"].to_list() == ["2"]
    assert {path.name for path in tmp_path.iterdir()} == {"hostile", "good"}


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pipelines.core.isolated import Process; p = Process(); print(p._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=command.environment(), text=True)
    assert parent.stdout is not None
    reader = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{reader}").exists() and _state(reader) != "Z":
        assert time.monotonic() < deadline, "the reader outlived its parent"
        time.sleep(0.1)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def declaration(case: Exhausting) -> str:
    return yaml.safe_dump(
        {
            "id": case.id, "title": case.id, "publisher": "Nobody", "licence": "CC0-1.0", "theme": "census", "optional": True,
            "fetch": {"url": f"data/{case.id}.bin"}, "read": case.read, "columns": {"code": {"required": True}, "value": {"type": "number"}},
            "into": "observations", "map": {"area": {"scheme": "cz", "code": "code"}, "period": "'2021'", "measures": {case.id: {"value": "value"}}},
            **case.declared,
        }
    )  # fmt: skip


@pytest.mark.slow
def test_a_run_refuses_each_file_and_publishes_the_good_source(tmp_path: Path) -> None:
    cases = [case for case in CASES if case.read["format"] != "ics"]
    root = pack.write(tmp_path / "pack", [])
    for case in cases:
        (root / f"sources/{case.id}.yml").write_text(declaration(case), encoding="utf-8")
        case.write(root / f"data/{case.id}.bin")
    limits = {"ZPO2_READ_MEMORY": "700MB", "ZPO2_READ_SECONDS": "2", "ZPO2_READ_ROWS": "20000000"}
    log = tmp_path / "log"
    run = command.start("run", "--pack", root, "--home", tmp_path / "home", log=log, **limits)
    most, deadline = 0, time.monotonic() + 1500
    while run.poll() is None:
        most = max(most, _memory_of_group(run.pid))
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.2)
    output = log.read_text(encoding="utf-8")
    assert run.returncode == 3, output
    assert "Traceback" not in output
    assert all(c.isprintable() or c == "\n" for c in output)
    assert most < MOST_MEMORY
    for case in cases:
        assert re.search(rf"^source +{case.id}: .", output, re.MULTILINE), f"{case.id} has no reason"
    release = next((tmp_path / "home/public/releases").iterdir())
    rows = duckdb.sql(f"select obs_value from '{release}/parquet/indicator_values.parquet' where ref_area = 'S'").fetchall()
    assert rows == [(150.0,)]


def _memory_of_group(group: int) -> int:
    """Bytes of memory of all processes of a group, without what they share."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[2]) == group:
                _, resident, shared, *_ = (stat.parent / "statm").read_text(encoding="ascii").split()
                total += (int(resident) - int(shared)) * resource.getpagesize()
        except (OSError, ValueError):
            continue
    return total

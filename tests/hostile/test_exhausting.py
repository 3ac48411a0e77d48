"""A file that would end or exhaust its reader is refused with a reason; the process that asked goes on, and reads the next file."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, isolated
from pipelines.readers.cells import Columns
from tests.hostile.exhausting import CASES, Exhausting

LIMITS = isolated.Limits(memory=700_000_000, memory_per_byte=0, seconds=2, seconds_per_megabyte=0, rows=20_000_000)
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_file_is_refused_and_the_next_one_is_read(tmp_path: Path, case: Exhausting) -> None:
    hostile, good = tmp_path / "hostile", tmp_path / "good"
    case.write(hostile)
    good.write_text("code,value\n1,2\n", encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(UnreadableSnapshot) as raised:
        isolated.read(hostile, ReadOptions.model_validate(case.read), Columns(None), LIMITS, tmp_path)
    assert str(raised.value)
    assert str(raised.value).isprintable()
    assert "Traceback" not in str(raised.value)
    assert time.monotonic() - began < 2 * 20 + 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "this process did not read the file"
    assert isolated.read(good, ReadOptions(format="csv"), Columns(None), LIMITS, tmp_path)["value"].to_list() == ["2"]
    assert {path.name for path in tmp_path.iterdir()} == {"hostile", "good"}

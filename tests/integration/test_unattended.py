"""Three hours without anybody: every kind of fault, and never a wrong release. `benchmarks/unattended.py` goes on for as long as you like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.server import serving
from tests.support.unattended import JUNK, Operation

pytestmark = pytest.mark.slow


def test_a_workspace_that_nobody_looks_after_never_publishes_a_wrong_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZPO2_SECRET_ALERT_URL", "ZPO2_ALLOW_HOSTS"):
        monkeypatch.setenv(name, "")  # restored afterwards
    with serving() as server:
        operation = Operation(tmp_path, server)
        operation.tick()
        assert operation.versions() == 1

        for fault in (operation.outage, operation.truncate, operation.web_page, operation.rename_column, operation.lose_rows):
            fault()
            operation.tick()
        assert operation.versions() == 1

        operation.drop_junk()
        operation.drop()
        operation.push()
        operation.change()
        operation.serve()
        operation.tick(minutes=-60, while_busy=True)  # the clock was set back, and somebody else writes
        operation.tick(kill_after=6)
        operation.tick(minutes=180)
        assert operation.versions() == 2
        assert {path.name for path in (operation.home / "inbox" / "trees").iterdir()} == set(JUNK)
        assert [kind for kind in operation.kinds_of_alerts() if kind.startswith("source.")] == ["source.stale", "source.fresh"]

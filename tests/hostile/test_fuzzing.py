"""The fuzzing: its kept corpus passes, a short run finds nothing, and it reports a broken reader, a dead process and a wrong answer."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.core import isolated as processes
from pipelines.readers import MODULES
from tests.hostile.fuzzing import campaign, corpus, declared, listening
from tests.hostile.fuzzing.__main__ import NAMES, targets
from tests.hostile.fuzzing.case import Case, Target, fault_of_text
from tests.hostile.fuzzing.files import Readers
from tests.support.command import PROJECT, environment

MOST_OF_FILE = 12_000
MOST_OF_CORPUS = 300_000
"""Bytes."""
SECONDS = 15


def made(folder: Path, name: str) -> Target:
    return targets(folder, [name])[name]()


class TestCorpus:
    @pytest.mark.parametrize("name", NAMES)
    def test_passes(self, tmp_path: Path, name: str) -> None:
        cases = corpus.read(name)
        assert cases
        target = made(tmp_path, name)
        try:
            assert campaign.replay(target, cases) == []
        finally:
            target.close()

    def test_is_small(self) -> None:
        sizes = [path.stat().st_size for path in corpus.FOLDER.rglob("*") if path.is_file()]
        assert max(sizes) <= MOST_OF_FILE
        assert sum(sizes) <= MOST_OF_CORPUS

    def test_has_every_format(self) -> None:
        assert {case.settings["format"] for case in Readers(Path()).seeds()} == set(MODULES)


@pytest.mark.slow
def test_short_run_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile.fuzzing", "--seconds", str(SECONDS), "--seed", "1", "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if " cases, " in line] == sorted(NAMES)


BROKEN = {
    "raises": "def broken(*_): raise KeyError('x')",
    "gives no row numbers": "def broken(*_):\n    import polars as pl\n    return pl.DataFrame({'a': ['1'], '__fault': ['']})",
    "ends": "def broken(*_): import os; os.abort()",
}
"""Readers that are broken on purpose, for Python's module sitecustomize."""


def break_reader(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the processes that read files have a broken reader of CSV."""
    (folder / "sitecustomize.py").write_text(
        f"{code}\nimport pipelines.readers.delimited as module\nmodule.read = broken\n", encoding="utf-8"
    )
    variables = environment(PYTHONPATH=f"{folder}:{PROJECT}")
    monkeypatch.setattr(processes, "_environment", lambda: variables)
    processes.stop_all()


CSV = Case("good", b"code,value\n1,2\n", {"format": "csv"})


class TestFindings:
    """What a run must report, where the product is broken on purpose."""

    @pytest.mark.parametrize(
        ("broken", "fault", "note"),
        [
            ("raises", "an exception that no reader documents: the csv reader failed: KeyError", None),
            ("gives no row numbers", "no column __row", None),
            ("ends", None, "the csv reader ended its process (SIGABRT)"),
        ],
    )
    def test_broken_reader(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, fault: str | None, note: str | None) -> None:
        target = Readers(tmp_path)
        assert target.attempt(CSV).fault is None
        break_reader(tmp_path, monkeypatch, BROKEN[broken])
        outcome = target.attempt(CSV)
        target.close()
        assert (outcome.fault or "").startswith(fault or "")
        assert (outcome.fault is None, outcome.note) == (fault is None, note)

    def test_is_kept_once_and_made_small(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        condition = "def broken(path, *_):\n    if path.read_bytes().count(b'\\n') > 1: raise KeyError('x')\n    return real(path, *_)"
        break_reader(tmp_path, monkeypatch, f"from pipelines.readers.delimited import read as real\n{condition}")
        monkeypatch.setattr(Readers, "seeds", lambda _: [replace(CSV, content=CSV.content * 50)])
        report = campaign.run({"readers": lambda: Readers(tmp_path)}, 2, 1, tmp_path / "keep")
        [finding] = report.findings
        assert finding.path.read_bytes() == b"\n\n"
        assert {path.name.partition("good")[2] for path in finding.path.parent.iterdir()} == {
            "", ".json", ".small", f"{corpus.SETTINGS}", f".small{corpus.SETTINGS}",
        }  # fmt: skip

    @pytest.mark.parametrize("name", ["receiver", "server"])
    def test_dead_process(self, tmp_path: Path, name: str) -> None:
        target = made(tmp_path, name)
        assert isinstance(target, listening.Listening)
        try:
            assert target.attempt(target.seeds()[0]).fault is None
            assert target._process is not None
            target._process.kill()
            target._process.wait()
            assert target.ill() is not None
            target.restart()
            assert target.ill() is None
        finally:
            target.close()

    def test_slow_check(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(declared, "SECONDS", 0)
        target = made(tmp_path, "packs")
        outcome = target.attempt(Case("x", b"[", {"pack": "five", "file": "pack.yml"}))
        target.close()
        assert (outcome.fault or "").startswith("the check took")

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", "the answer"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n" + listening.OUTSIDE.encode(), "a file from outside"),
            (b"HTTP/1.1 307 x\r\nlocation: /\r\nset-cookie: a=b\r\n\r\n", "a head with parts"),
            (b'HTTP/1.1 400 x\r\ncontent-type: application/json\r\n\r\n{"error": "\x1b[31m"}', "a control character"),
            (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", None),
        ],
    )
    def test_wrong_answer(self, answer: bytes, fault: str | None) -> None:
        found = listening.fault_of_answer(answer, answer[9:12].decode())
        assert found is None if fault is None else (found or "").startswith(fault)

    def test_text_that_nobody_may_see(self) -> None:
        assert fault_of_text("a plain text — žluťoučký") is None
        assert "control" in (fault_of_text("two\nlines") or "")
        assert fault_of_text("two\nlines", lines=True) is None
        assert "control" in (fault_of_text("a\udcee") or "")
        assert "traceback" in (fault_of_text('Traceback (most recent call last):\n  File "x"', lines=True) or "")
        assert "characters" in (fault_of_text("x" * 30_000) or "")


@pytest.mark.slow
def test_process_that_asks_and_ends_is_found(tmp_path: Path) -> None:
    code = "import os\nfrom tests.hostile.fuzzing.files import Readers\nReaders.attempt = lambda *_: os.abort()\n"
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "tests.hostile.fuzzing", "--seconds", "8", "--only", "readers", "--keep", str(tmp_path / "keep")]
    variables = environment(PYTHONPATH=f"{tmp_path}:{PROJECT}")
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr[-2000:]
    assert "FOUND the process that asks ended with exit code -6" in done.stdout
    assert list((tmp_path / "keep").glob("ended-1/readers"))


class TestChanges:
    def test_are_the_same_for_the_same_seed(self, tmp_path: Path) -> None:
        target = Readers(tmp_path)
        pool = target.seeds()
        first, again = ([target.changed(random.Random(f"{seed}"), pool) for seed in range(200)] for _ in range(2))
        assert first == again
        assert len({case.content for case in first}) > 150

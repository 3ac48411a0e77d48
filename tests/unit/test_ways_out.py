"""Control characters never leave raw: not by the log, not by what the command prints, not in the error of a fetch."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from pipelines.cli import terminal
from pipelines.core.logs import JsonLines
from pipelines.core.printable import without_commands
from pipelines.extract.http.request import FetchError
from tests.support.command import zpo2

HOSTILE = "a\x1b[2J\x07\x7f\x9b31m\r\u202eb"


class TestWithoutCommands:
    def test_escapes_what_commands_a_terminal(self) -> None:
        assert without_commands(HOSTILE) == "a\\u001b[2J\\u0007\\u007f\\u009b31m\\u000d\\u202eb"

    @pytest.mark.parametrize("text", ["Žďár\tnad\nSázavou", "\N{NO-BREAK SPACE}1\N{SOFT HYPHEN}0", "क्‍ष", ""])
    def test_leaves_other_text_alone(self, text: str) -> None:
        assert without_commands(text) == text


class TestLog:
    def test_is_a_line_of_json_without_control_characters(self) -> None:
        record = logging.LogRecord("zpo2.x", logging.WARNING, "x.py", 1, "read %s", (HOSTILE,), None)
        record.reason = HOSTILE
        line = JsonLines().format(record)
        assert without_commands(line) == line
        assert json.loads(line)["message"] == f"read {HOSTILE}"
        assert json.loads(line)["reason"] == HOSTILE

    def test_escapes_the_trace_of_an_error(self) -> None:
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            record = logging.LogRecord("zpo2.x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
        line = JsonLines().format(record)
        assert without_commands(line) == line


class TestCommand:
    def test_escapes_what_it_prints(self) -> None:
        done = zpo2("check", "--pack", "/nowhere/\x1b[2J\u202ex")
        assert done.returncode == 2
        assert "no such file in /nowhere/\\" in done.stderr
        assert "\x1b" not in done.stderr + done.stdout
        assert "\u202e" not in done.stderr + done.stdout

    def test_guards_both_streams_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        terminal.guard()
        terminal.guard()
        print(HOSTILE)
        print(HOSTILE, file=sys.stderr)
        sys.stdout.writelines(["\x1b", "\n"])
        assert out.getvalue() == without_commands(HOSTILE) + "\n\\u001b\n"
        assert err.getvalue() == without_commands(HOSTILE) + "\n"
        assert terminal.drawing() is err


class TestFetchError:
    def test_is_one_printable_line(self) -> None:
        assert str(FetchError(f"a:\n{HOSTILE}")) == "a: a\\x1b[2J\\x07\\x7f\\x9b31m \\u202eb"

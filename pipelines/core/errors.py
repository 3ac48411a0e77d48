"""The root of all errors that a person can act on, and the exit codes of the command. An error without this root is a bug."""

from __future__ import annotations

from enum import IntEnum

from pipelines.core.printable import one_line

_MAX_TEXT = 300  # characters of an unexpected error that are shown


class ExitCode(IntEnum):
    """How the `zpo2` command ends."""

    CURRENT = 0
    """A release is current, and all sources are fresh."""
    FAILED = 1
    """The gate failed, or a step did; the last release stands."""
    WRONG = 2
    """The command or the pack is wrong."""
    STALE = 3
    """A release is current, but sources are stale."""
    INTERRUPTED = 130
    """The user stopped the command. A command that SIGTERM ends has the code 143."""


class Zpo2Error(Exception):
    """Something that the person at the command line can act on. The message says what was found, where, and what to do.

    `exit_code` is the code with which the command ends when nothing catches the error.
    """

    exit_code: ExitCode = ExitCode.FAILED

    @property
    def lines(self) -> list[str]:
        """The message, one fault per line."""
        return str(self).splitlines() or [type(self).__name__]


def in_one_line(error: BaseException) -> str:
    """Return an error that nobody expected as one printable line: its type and the beginning of its message."""
    text = one_line(str(error))
    return f"{type(error).__name__}: {text[:_MAX_TEXT]}" if text else type(error).__name__


class UsageError(Zpo2Error):
    """An option or an argument of a command is wrong."""

    exit_code = ExitCode.WRONG

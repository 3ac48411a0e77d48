"""What the command writes to a terminal or a pipe: whatever it prints, no control character leaves it. Knows no command."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast

from pipelines.core.printable import without_commands


class _Guarded:
    """A stream of text that escapes control characters; all else is that of the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self.unguarded = stream

    def write(self, text: str) -> int:
        self.unguarded.write(without_commands(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


def guard() -> None:
    """Let standard output and standard error escape control characters from now on, once per process."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Guarded):
            setattr(sys, name, _Guarded(stream))


def drawing() -> TextIO:
    """Return standard error for what draws on a terminal itself, and is given no text from outside that is not escaped."""
    return cast(TextIO, getattr(sys.stderr, "unguarded", sys.stderr))

"""What a fuzzing run tries, what comes of it, and what a target of such a run is."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_BYTES = 300_000
"""A changed file is not larger than this."""
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Case:
    """Bytes for a target. `settings` say how it takes them, as JSON; `name` says where they come from."""

    name: str
    content: bytes
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a case: `signature` is the same for cases of one kind.

    `fault` says what may not happen, None where all is well; `note` what may happen, but is counted.
    """

    signature: str
    fault: str | None = None
    note: str | None = None


class Target(Protocol):
    """What takes cases: `seeds` are whole and valid, and `changed` makes another one of the cases in `pool`."""

    name: str

    def seeds(self) -> list[Case]: ...

    def changed(self, chance: random.Random, pool: Sequence[Case]) -> Case: ...

    def attempt(self, case: Case) -> Outcome: ...

    def close(self) -> None: ...


def kind_of(text: str) -> str:
    """Return a message without what differs from case to case: numbers, names and quoted texts."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`", "_", text)
    return re.sub(r"[\w.\-]*\d[\w.\-]*", "0", text)[:100]


def fault_of_text(text: str, *, lines: bool = False, most: int = 20_000) -> str | None:
    """Return why a text may not be shown to a person; `lines` allows ends of lines."""
    if _TRACEBACK in text:
        return f"a traceback: {text[text.rindex(_TRACEBACK) :][-300:]!r}"
    control = next((c for c in text if not c.isprintable() and not (lines and c == "\n")), None)
    if control is not None:
        return f"a control character {control!r} in a text"
    return f"a text of {len(text)} characters" if len(text) > most else None

"""How texts from files and servers are shown: what they send may be commands to a terminal, or too long for a message."""

from __future__ import annotations

import re
from collections.abc import Sequence

TURNING = "\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of what follows, as a range of a regular expression: embeddings, overrides and isolates (UAX #9).

What they enclose is not read in the order in which it is written ("Trojan Source", UTS #55). Marks that only give a letter a direction,
U+200E, U+200F and U+061C, are not among them: texts in Arabic and Hebrew need them.
"""


def printable(text: str) -> str:
    """Return `text` with control characters escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_name(name: str) -> str:
    """Return the name or path of a file with control characters and invalid bytes replaced by a mark."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def one_line(text: str) -> str:
    """Return `text` on one line, with one blank in place of control characters and runs of blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shortened(line: str, width: int) -> str:
    """Return a line of more than `width` characters cut off there, with three dots; a shorter one as it is."""
    return line if len(line) <= width else f"{line[:width]}..."


def listed(names: Sequence[str], most: int, more: str = " and {} more") -> str:
    """Return the first `most` names, and how many more there are, as the text `more` says it."""
    return ", ".join(names[:most]) + (more.format(len(names) - most) if len(names) > most else "")


_COMMANDS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{TURNING}]")
"""Control characters but for tabs and ends of lines, and characters that turn the direction of what follows."""


def without_commands(text: str) -> str:
    """Return `text` with each character that may be a command to a terminal as an escape that JSON has, too; lines and tabs stay."""
    return _COMMANDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

"""Content as its difference from earlier content: the lines that stay, and the new ones. Knows files, but not which content is whose.

Content that grows is so written once and not again with each addition. To read it, the content that it builds on is composed first. The
number of steps stays small: the n-th content builds on the one before it; where n is divisible by SPAN, on the one SPAN before it; where it is
divisible by SPAN * SPAN, on the one SPAN * SPAN before it, and so on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.checksums import DamagedFile

SPAN = 32


@dataclass(frozen=True)
class Delta:
    """How content differs from that with the checksum `base`: a list of lines `=first count`, lines of the base, and `+text`, a new line.

    `number` counts the contents since the one that is kept in full, and `size` is the length of the content in bytes.
    """

    base: str
    number: int
    size: int
    edits: bytes

    def to_bytes(self) -> bytes:
        """Return the content of a file: the checksum of all that follows it, a line of JSON, and the edits."""
        head = json.dumps({"base": self.base, "bytes": self.size, "number": self.number}).encode()
        rest = head + b"\n" + self.edits
        return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest

    @classmethod
    def load(cls, path: Path) -> Delta:
        """Read a file. Raises DamagedFile where it is missing, or does not have its checksum."""
        try:
            checksum, rest = path.read_bytes().split(b"\n", 1)
            if hashlib.sha256(rest).hexdigest().encode() != checksum:
                raise ValueError("the checksum differs")
            head, edits = rest.split(b"\n", 1)
            values = json.loads(head)
            return cls(str(values["base"]), int(values["number"]), int(values["bytes"]), edits)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedFile(f"{path}: missing or damaged on the disk: {error}") from None

    def applied_to(self, base: list[bytes]) -> list[bytes]:
        """Return the lines of the content, given those of the base."""
        lines: list[bytes] = []
        for edit in self.edits.split(b"\n"):
            if edit.startswith(b"+"):
                lines.append(edit[1:])
            else:
                first, count = map(int, edit[1:].split())
                lines += base[first : first + count]
        return lines


def difference(base: list[bytes], lines: list[bytes]) -> bytes:
    """Return the edits that turn the lines `base` into `lines`."""
    positions = {line: position for position, line in reversed(list(enumerate(base)))}
    edits: list[bytes] = []
    first = after = -1  # the lines of the base that are being copied

    def end_copy() -> None:
        if after > first:
            edits.append(b"=%d %d" % (first, after - first))

    for line in lines:
        if first >= 0 and after < len(base) and base[after] == line:
            after += 1
            continue
        end_copy()
        first = after = -1
        position = positions.get(line)
        if position is None:
            edits.append(b"+" + line)
        else:
            first, after = position, position + 1
    end_copy()
    return b"\n".join(edits)


def number_of_base(number: int) -> int:
    """Return the number of the content on which the one with this number builds."""
    span = 1
    while number % (span * SPAN) == 0:
        span *= SPAN
    return number - span

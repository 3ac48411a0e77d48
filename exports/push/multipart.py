"""A form with one file as the body of a request (RFC 7578), read while it is sent: files of a release need not fit into memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

BLOCK = 1 << 18


class Form:
    """Text fields, then one file. What it yields has the length that it states."""

    def __init__(self, fields: Mapping[str, str], name: str, file: Path, media_type: str) -> None:
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.file = file
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'.encode() + value.encode() + b"\r\n"
            for field, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file.name}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n".encode()
        )
        self.head, self.tail = b"".join(parts), f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self.head) + self.file.stat().st_size + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        with self.file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block
        yield self.tail

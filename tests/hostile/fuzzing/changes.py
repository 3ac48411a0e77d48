"""Changes to bytes, texts and trees: any of them keeps most of what it changes, so that it gets past the first check."""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import json
import lzma
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import yaml

from tests.hostile.fuzzing.case import MOST_BYTES

INTEGERS = (0, 1, 2, 127, 128, 255, 256, 32767, 65536, 2**24, 2**31 - 1, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1, -1, -(2**31), -(2**63))
NUMBERS = (
    *map(str, INTEGERS), "0.1", "-0", "1e400", "1e-400", "NaN", "Infinity", "-Infinity", "1_000", "0x10", "9" * 60, "1,5", "1 234", "٣", "9" * 5000,
)  # fmt: skip
MOST_PLACES = 5_000
"""Values of a tree among which some are changed."""
DATES = ("2021-02-29", "0000-00-00", "9999-12-31T23:59:60Z", "2021-01-01T25:00", "10000-01-01", "20210101T000000Z", "-0001-01-01", "00:00")
TEXTS = (
    "", " ", "\t", "\n", "\r", "\0", "\x1b[31m", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffd", "é", "🏙",
    "a\u0301" * 40, "null", "true", "None",
    "..", "../../etc/passwd", "__row", "__fault", "__cell", "code", "a" * 300, "x" * 70_000, "%s", "{0}", "{year}", "${HOME}", "'", '"', "`", "\\",
    "\\u0000", "\\ud83d", ";", ",", "=1+1", "<a>", "&amp;", "&x;", "]]>", "-->",
    "<!--", "<![CDATA[", "<!DOCTYPE a [<!ENTITY x 'y'>]>", "<?xml version='1.1'?>",
    "*", "&a", "!!python/object:os.system", "|", ">", "- ", "? ", "<<: *a", "[", "]", "{", "}", "/", "/*/a", "#", "@", "(", ")", "count(*)", "1=1",
)  # fmt: skip
_TOKENS = re.compile(r"\w+|\s+|.", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>|[^<]+|<")
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What unpacking a changed file may raise: it is then changed as it is."""
_LOADER, _DUMPER = getattr(yaml, "CSafeLoader", yaml.SafeLoader), getattr(yaml, "CSafeDumper", yaml.SafeDumper)
Change = Callable[[random.Random, bytes], bytes]


def any_of(chance: random.Random, *changes: Change) -> Change:
    """Return one of the changes."""
    return chance.choice(changes)


def integer(chance: random.Random) -> bytes:
    """Return a whole number as programs store it, in one to eight bytes."""
    width, order = chance.choice([1, 2, 4, 4, 8]), chance.choice(["little", "big"])
    return (chance.choice(INTEGERS) % 2 ** (8 * width)).to_bytes(width, order)


def in_bytes(chance: random.Random, content: bytes, first: int = 0) -> bytes:
    """Change some bytes from the position `first` on."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 16])):
        at = chance.randint(min(first, len(changed)), len(changed))
        length = chance.choice([1, 1, 2, 4, 16, 64, 1000])
        match chance.randrange(8):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(changed):
                changed[at] = chance.randrange(256)
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = chance.randbytes(min(length, 16))
            case 4:
                changed[at:at] = changed[at : at + length] * chance.choice([1, 1, 2, 20])
            case 5:
                number = integer(chance)
                changed[at : at + len(number)] = number
            case 6:
                other = chance.randint(0, len(changed))
                changed[at : at + length] = changed[other : other + length]
            case _ if chance.random() < 0.3:
                del changed[at:]
            case _:
                pass
    return bytes(changed)


def value(chance: random.Random) -> str:
    """Return a text that is often taken for something else."""
    return chance.choice(chance.choice([NUMBERS, DATES, TEXTS]))


def _items(chance: random.Random, items: list[str]) -> list[str]:
    """Change a list of tokens, lines or cells."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        at, other = (chance.randrange(len(items)) if items else 0 for _ in range(2))
        match chance.randrange(7):
            case 0:
                del items[at : at + chance.choice([1, 1, 3])]
            case 1:
                items[at:at] = items[other : other + chance.choice([1, 3, 10])]
            case 2:
                repeated, times = items[at : at + chance.choice([1, 2])], chance.choice([2, 50, 2000])
                items[at:at] = repeated * min(times, MOST_BYTES // (sum(map(len, repeated)) + 1))
            case 3 if items:
                items[at], items[other] = items[other], items[at]
            case 4:
                items[at:at] = [value(chance)]
            case 5:
                items[at : at + 1] = [value(chance)]
            case _ if items:
                items[at] = items[other]
            case _:
                pass
    return items


def _as_text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass" if re.search("[\ud800-\udc7f\udd00-\udfff]", text) else "surrogateescape")


def in_text(chance: random.Random, content: bytes) -> bytes:
    return _as_bytes("".join(_items(chance, _TOKENS.findall(_as_text(content)))))


def in_lines(chance: random.Random, content: bytes) -> bytes:
    return b"".join(map(_as_bytes, _items(chance, _as_text(content).splitlines(keepends=True))))


def in_cells(chance: random.Random, content: bytes) -> bytes:
    return _as_bytes("".join(_items(chance, re.split(r"([,;\t\n])", _as_text(content)))))


def in_markup(chance: random.Random, content: bytes) -> bytes:
    pieces: list[str] = _TAGS.findall(_as_text(content))
    if pieces and chance.random() < 0.5:  # inside one tag or text
        at = chance.randrange(len(pieces))
        pieces[at] = "".join(_items(chance, _TOKENS.findall(pieces[at])))
    else:
        pieces = _items(chance, pieces)
    return _as_bytes("".join(pieces))


def in_tree(chance: random.Random, tree: Any, texts: Sequence[str] = ()) -> Any:
    """Change some values of nested lists and maps; `texts` are also put in place of others."""
    root = [copy.deepcopy(tree)]
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        places = _places(root)
        holder, key = chance.choice(places)
        other_holder, other_key = chance.choice(places)
        match chance.randrange(9):
            case 0 if holder is not root:
                del holder[key]
            case 1:
                holder[key] = _leaf(chance)
            case 2:
                holder[key] = copy.deepcopy(other_holder[other_key])
            case 3:
                holder[key] = [copy.deepcopy(holder[key])] * chance.choice([1, 1, 2, 300])
            case 4:
                holder[key] = {chance.choice([*texts, *TEXTS]): holder[key]}
            case 5 if isinstance(holder, dict):
                moved = holder.pop(key) if chance.random() < 0.7 else copy.deepcopy(other_holder[other_key])
                holder[chance.choice([*texts, *TEXTS])] = moved
            case 6 if texts:
                holder[key] = chance.choice(texts)
            case 7 if isinstance(holder[key], str):
                holder[key] = "".join(_items(chance, _TOKENS.findall(holder[key])))
            case _ if chance.random() < 0.05:
                for _ in range(chance.choice([20, 60, 900])):
                    holder[key] = [holder[key]]
            case _:
                holder[key] = _leaf(chance)
    return root[0]


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Return where the values of a tree are: holders and keys. A tree may contain itself."""
    found: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting and len(found) < MOST_PLACES:
        holder = waiting.pop()
        for key, item in list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder)):
            found.append((holder, key))
            if isinstance(item, dict | list):
                waiting.append(item)
    return found


def _leaf(chance: random.Random) -> Any:
    return chance.choice([None, True, False, {}, [], chance.choice(INTEGERS), 0.5, -1e308, float("inf"), value(chance), value(chance)])


def in_json(chance: random.Random, content: bytes) -> bytes:
    with suppress(ValueError, RecursionError):
        if chance.random() < 0.8:
            tree = json.loads(content)
            return _as_bytes(json.dumps(in_tree(chance, tree, _texts_of(tree)), ensure_ascii=chance.random() < 0.5))
    return in_text(chance, content)


def _texts_of(tree: Any) -> list[str]:
    """Return up to 500 keys and texts of a tree."""
    return [text for holder, key in _places([tree])[:500] for text in (key, holder[key]) if isinstance(text, str)]


def in_yaml(chance: random.Random, content: bytes, texts: Sequence[str] = ()) -> bytes:
    """Change a file of a pack: its nodes, or its text."""
    with suppress(yaml.YAMLError, ValueError, RecursionError, UnicodeError):
        if chance.random() < 0.75:
            tree = in_tree(chance, loaded := yaml.load(content, Loader=_LOADER), [*texts, *_texts_of(loaded)])
            return yaml.dump(tree, Dumper=_DUMPER, allow_unicode=True, sort_keys=False).encode()
    return any_of(chance, in_lines, in_text, in_text, in_bytes)(chance, content)


def in_zip(chance: random.Random, content: bytes) -> bytes:
    """Change one member of an archive, or the archive itself."""
    with suppress(*_DAMAGED):
        if chance.random() < 0.85:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = [(name, archive.read(name)) for name in archive.namelist()]
            at = chance.randrange(len(members)) if members else 0
            name, inner = members[at] if members else ("a", b"")
            match chance.randrange(8):
                case 0:
                    del members[at : at + 1]
                case 1:
                    members.append((name, inner))
                case 2:
                    members[at : at + 1] = [(chance.choice([*TEXTS, *(n for n, _ in members)])[:60_000], inner)]
                case _:
                    is_markup = inner.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<")
                    change = in_markup if is_markup else any_of(chance, in_bytes, in_text)
                    members[at : at + 1] = [(name, change(chance, inner))]
            return _zipped(members, chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    return in_bytes(chance, content)


def _zipped(members: Sequence[tuple[str, bytes]], method: int) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", method) as archive:
        for name, inner in members:
            archive.writestr(zipfile.ZipInfo(name or "a", (2021, 1, 1, 0, 0, 0)), inner, method)
    return buffer.getvalue()


def in_parquet(chance: random.Random, content: bytes) -> bytes:
    """Change the footer, which describes all else, the length of the footer, or any bytes."""
    length = int.from_bytes(content[-8:-4], "little") if len(content) > 12 else 0
    match chance.randrange(10):
        case 0:
            return in_bytes(chance, content)
        case 1:
            return content[:-8] + chance.choice(INTEGERS).to_bytes(16, "little", signed=True)[:4] + content[-4:]
        case _ if 0 < length < len(content) - 8:
            footer = in_bytes(chance, content[-8 - length : -8])
            return content[: -8 - length] + footer + len(footer).to_bytes(4, "little") + content[-4:]
        case _:
            return in_bytes(chance, content, max(0, len(content) - 200))


def in_rdata(chance: random.Random, content: bytes) -> bytes:
    """Change what is compressed, or the compressed bytes."""
    for start, unpack, pack in _COMPRESSED:
        with suppress(*_DAMAGED):
            if content.startswith(start) and chance.random() < 0.9:
                return pack(in_rdata(chance, unpack(content)))
    if len(content) > 20 and chance.random() < 0.6:  # flags and lengths are numbers of four bytes
        at = chance.randrange(len(content) // 4) * 4 + chance.randrange(4)
        number = chance.choice([0, 1, 2, 3, 9, 13, 16, 19, 254, 255, -1, 1026, 2**30, 2**31 - 1])
        return content[:at] + struct.pack(">i", number) + content[at + 4 :]
    return in_bytes(chance, content)


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


_COMPRESSED = (
    (b"\x1f\x8b", gzip.decompress, _gzipped),
    (b"BZh", bz2.decompress, bz2.compress),
    (b"\xfd7z", lzma.decompress, lzma.compress),
)


def of_format(name: str) -> Change:
    """Return the change for the files of a format."""
    of: dict[str, Change] = {
        "csv": in_cells, "sdmx-csv": in_cells, "eurostat-tsv": in_cells, "xlsx": in_zip, "ods": in_zip, "xls": in_bytes, "parquet": in_parquet,
        "rdata": in_rdata, "xml": in_markup, "ics": in_lines,
    }  # fmt: skip
    return of.get(name, in_json)


def in_file(chance: random.Random, content: bytes, name: str) -> bytes:
    """Change a file of the format `name`, mostly within its structure."""
    change = of_format(name)
    if content.startswith(b"PK\x03\x04") and chance.random() < 0.9:
        change = in_zip
    elif content.lstrip().startswith(b"<") and chance.random() < 0.8:
        change = in_markup
    return any_of(chance, change, change, change, change, in_text, in_bytes)(chance, content)

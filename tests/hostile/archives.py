"""Cases of packed files that are broken or hostile. Bombs are small on disk; what they unpack to is never held as a whole."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zipfile
import zlib
from functools import lru_cache

from tests.hostile.case import BRNO, PRAHA, Case, Outcome, table

GROUP = "Packed files"
BODY = table("554782,1", "582786,2")
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
MEMBER = "{format: csv, member: data.csv}"


CLIMBING = ("../../../../var/zpo2-slip.csv", f"{tempfile.gettempdir()}/zpo2-slip.csv", "..\\..\\zpo2-slip.csv")


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2021, 1, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


@lru_cache
def _deflated(gigabytes: float) -> tuple[bytes, int, int]:
    """Return a raw deflate stream of a table that goes on with blanks, its size and its CRC-32, without ever holding the text.

    A block that ends in a full flush does not depend on what came before it, so it can be repeated.
    """
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    blanks = b" " * (1 << 20)
    first = stream.compress(BODY) + stream.flush(zlib.Z_FULL_FLUSH)
    block = stream.compress(blanks) + stream.flush(zlib.Z_FULL_FLUSH)
    times, crc = int(gigabytes * 1024), zlib.crc32(BODY)
    for _ in range(times):
        crc = zlib.crc32(blanks, crc)
    return first + block * times + stream.flush(), len(BODY) + times * len(blanks), crc


def gzip_bomb() -> bytes:
    """Return three megabytes that unpack to three gigabytes."""
    packed, size, crc = _deflated(3)
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + packed + struct.pack("<II", crc, size % 2**32)


def zip_bomb(stated: int | None = None) -> bytes:
    """Return a ZIP whose member unpacks to three gigabytes; `stated` is the size that its directory claims instead."""
    packed, size, crc = _deflated(3)
    claimed = size if stated is None else stated
    name = b"data.csv"
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5221, crc, len(packed), claimed, len(name), 0)
    local = b"PK\x03\x04" + common + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def _encrypted() -> bytes:
    packed = bytearray(zipped(("data.csv", BODY)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + offset] |= 1
    return bytes(packed)


def _damaged_member() -> bytes:
    packed = bytearray(zipped(("data.csv", BODY), method=zipfile.ZIP_STORED))
    packed[packed.index(b"554782")] = ord("9")
    return bytes(packed)


def _without_directory() -> bytes:
    packed = zipped(("data.csv", BODY))
    return packed[: packed.index(b"PK\x01\x02")]


def _broken_directory() -> bytes:
    packed = bytearray(zipped(("data.csv", BODY)))
    start = packed.index(b"PK\x01\x02")
    packed[start : start + 4] = b"XXXX"
    return bytes(packed)


def _unknown_method() -> bytes:
    packed = bytearray(zipped(("data.csv", BODY)))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = packed.index(mark) + offset
        packed[at : at + 2] = struct.pack("<H", 99)
    return bytes(packed)


def _twice() -> bytes:
    first = io.BytesIO()
    with zipfile.ZipFile(first, "w") as archive:
        archive.writestr("data.csv", table("554782,99"))
        archive.writestr("data.cs_", BODY)
    return first.getvalue().replace(b"data.cs_", b"data.csv")


def _many_members() -> bytes:
    return zipped(*((f"{i}.csv", b"") for i in range(5_000)), ("data.csv", BODY))


GZIP = gzip.compress(BODY, mtime=0)

CASES = [
    Case("gzip_whole", GROUP, "a gzip file, whatever its name says", GZIP, BOTH),
    Case("gzip_truncated", GROUP, "a gzip file cut off", gzip.compress(table(*(f"554782,{i}" for i in range(5_000))), mtime=0)[:-500],
         Outcome(refused="the gzip file is truncated")),
    Case("gzip_without_trailer", GROUP, "a gzip file without its last bytes: all data are there, and nothing proves it", GZIP[:-4],
         Outcome(refused="the gzip file is truncated")),
    Case("gzip_damaged", GROUP, "a gzip file whose checksum does not fit", GZIP[:-8] + b"\0\0\0\0" + GZIP[-4:],
             Outcome(refused="the gzip file cannot be read")),
    Case("gzip_twice", GROUP, "two gzip streams in one file are one text", gzip.compress(table("554782,1"),
             mtime=0) + gzip.compress(b"582786,2\n", mtime=0), BOTH),
    Case("gzip_trailing_garbage", GROUP, "bytes behind the end of a gzip file that are no gzip", GZIP + b"garbage",
             Outcome(refused="bytes that are not gzip")),
    Case("gzip_of_gzip", GROUP, "gzip inside gzip: one layer is taken off, the rest is no table", gzip.compress(GZIP, mtime=0),
             Outcome(refused="gzip")),
    Case("gzip_of_nothing", GROUP, "a gzip file of nothing", gzip.compress(b"", mtime=0), Outcome(refused="the file is empty")),
    Case("gzip_header_only", GROUP, "the first bytes of a gzip file", b"\x1f\x8b\x08\x00", Outcome(refused="the gzip file is truncated")),
    Case("gzip_bomb", GROUP, "three megabytes that unpack to three gigabytes", gzip_bomb, Outcome(refused="unpacks to more than"),
             big=True),
    Case("zip_bomb", GROUP, "a ZIP member that unpacks to three gigabytes", zip_bomb, Outcome(refused="unpacks to more than"),
             name="bomb.zip", read=MEMBER, big=True),
    Case("zip_bomb_that_lies", GROUP, "the same, whose directory claims a hundred bytes: the claim is not trusted",
         lambda: zip_bomb(stated=100), Outcome(refused="Bad CRC-32"), name="lying_bomb.zip", read=MEMBER, big=True),
    Case("zip_whole", GROUP, "a member of a ZIP archive", zipped(("data.csv", BODY)), BOTH, name="whole.zip", read=MEMBER),
    Case("zip_undeclared", GROUP, "a ZIP archive where no member is declared", zipped(("data.csv", BODY)),
             Outcome(refused="this is a ZIP archive: set read.member to one of data.csv"),
         name="undeclared.zip"),
    Case("zip_without_member", GROUP, "a ZIP archive without the declared member", zipped(("other.csv", BODY)),
         Outcome(refused="the archive has no member data.csv; it has other.csv"), name="other.zip", read=MEMBER),
    Case("zip_slip", GROUP, "members whose names climb out of the folder: nothing is unpacked to disk, so nothing is written anywhere",
         zipped(*((name, b"x") for name in CLIMBING), ("data.csv", BODY)), BOTH, name="slip.zip", read=MEMBER),
    Case("zip_slip_wanted", GROUP, "such a member, declared: its bytes are read, its path is only a name", zipped(("../../data.csv", BODY)),
             BOTH,
         name="slip_wanted.zip", read='{format: csv, member: "../../data.csv"}'),
    Case("zip_encrypted", GROUP, "an encrypted member", _encrypted, Outcome(refused="data.csv: is encrypted"), name="encrypted.zip",
             read=MEMBER),
    Case("zip_nested", GROUP, "a ZIP archive inside a ZIP archive: one layer is taken off, the rest is no table", zipped(("data.csv",
             zipped(("data.csv", BODY)))),
         Outcome(refused="the header cannot be read"),
         name="nested.zip", read=MEMBER),
    Case("zip_damaged_member", GROUP, "a member whose checksum does not fit: a digit of a code was changed", _damaged_member,
         Outcome(refused="the archive cannot be read: Bad CRC-32"), name="damaged.zip", read=MEMBER),
    Case("zip_without_directory", GROUP, "a ZIP archive cut off before its directory", _without_directory,
             Outcome(refused="the archive cannot be read"),
         name="cut.zip", read=MEMBER),
    Case("zip_broken_directory", GROUP, "a ZIP archive with a broken directory", _broken_directory,
             Outcome(refused="the archive cannot be read"),
         name="directory.zip", read=MEMBER),
    Case("zip_unknown_method", GROUP, "a method of compression that nobody knows", _unknown_method,
             Outcome(refused="the archive cannot be read"),
         name="method.zip", read=MEMBER),
    Case("zip_same_name_twice", GROUP, "two members of one name, with different numbers: which is meant?", _twice,
         Outcome(refused="several members data.csv"), name="twice.zip", read=MEMBER),
    Case("zip_many_members", GROUP, "five thousand members beside the declared one", _many_members, BOTH, name="many.zip", read=MEMBER),
    Case("zip_folder", GROUP, "a folder where the member is expected", zipped(("data.csv/", b"")),
             Outcome(refused="the archive has no member data.csv"),
         name="folder.zip", read=MEMBER),
    Case("not_a_zip", GROUP, "a table where a ZIP archive is expected", BODY,
             Outcome(refused="the archive cannot be read: File is not a zip file"), read=MEMBER),
    Case("unknown_packing", GROUP, "another kind of archive (7z): no table", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(range(200)),
             Outcome(refused="a 7-Zip archive")),
]  # fmt: skip

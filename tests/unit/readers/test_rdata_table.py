"""R data files: types, missing values, which object; compact forms; and what a broken or hostile file may not do."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, rdata_table, read

OPTIONS = ReadOptions(format="rdata")
Write = Callable[[bytes], Path]

# What R writes, piece by piece: every object is flags, then a length where it has one, then its content (big-endian).
NULL, UTF8, NA_TEXT = 254, 0x8000, struct.pack(">ii", 9, -1)
NA_INTEGER, NA_REAL = -(2**31), struct.pack(">Q", 0x7FF00000000007A2)


def text(value: str | bytes | None, marks: int = UTF8) -> bytes:
    if value is None:
        return NA_TEXT
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">ii", 9 | marks, len(raw)) + raw


def pairs(**values: bytes) -> bytes:
    """A pairlist: each cell is a tag (a symbol) and its value."""
    cells = [struct.pack(">i", 2 | 0x400) + struct.pack(">i", 1) + text(name.replace("__", ".")) + value for name, value in values.items()]
    return b"".join(cells) + struct.pack(">i", NULL)


def vector(kind: int, content: bytes, length: int, **attributes: bytes) -> bytes:
    flags = kind | (0x200 if attributes else 0) | (0x100 if "class" in attributes else 0)
    return struct.pack(">ii", flags, length) + content + (pairs(**attributes) if attributes else b"")


def texts(*values: str | None, **attributes: bytes) -> bytes:
    return vector(16, b"".join(map(text, values)), len(values), **attributes)


def integers(*values: int, kind: int = 13, **attributes: bytes) -> bytes:
    return vector(kind, struct.pack(f">{len(values)}i", *values), len(values), **attributes)


def reals(*values: float | bytes, **attributes: bytes) -> bytes:
    return vector(14, b"".join(v if isinstance(v, bytes) else struct.pack(">d", v) for v in values), len(values), **attributes)


def listed(*items: bytes, **attributes: bytes) -> bytes:
    return vector(19, b"".join(items), len(items), **attributes)


def frame(columns: Mapping[str, bytes], rows: bytes | None = None) -> bytes:
    names = rows if rows is not None else integers(NA_INTEGER, -1)
    return listed(*columns.values(), names=texts(*columns), row__names=names, **{"class": texts("data.frame")})


def rds(body: bytes) -> bytes:
    return b"X\n" + struct.pack(">3i", 2, 0x040000, 0x020300) + body


def rda(**objects: bytes) -> bytes:
    return b"RDX3\nX\n" + struct.pack(">3i", 3, 0x040300, 0x030500) + struct.pack(">i", 5) + b"UTF-8" + pairs(**objects)


TYPES = frame({
    "name": texts("Žilina", " Nitra ", None),
    "kind": integers(2, 1, NA_INTEGER, kind=13, levels=texts("town", "city"), **{"class": texts("factor")}),
    "code": integers(500011, NA_INTEGER, 7),
    "share": reals(2.0, 0.25, NA_REAL),
    "ok": integers(1, 0, NA_INTEGER, kind=10),
    "day": reals(18628.0, -1.0, NA_REAL, **{"class": texts("Date")}),
    "at": reals(1609459200.5, 0.0, NA_REAL, **{"class": texts("POSIXct", "POSIXt")}),
    "big": reals(struct.pack(">q", 2**60), struct.pack(">q", -1), struct.pack(">q", -(2**63)), **{"class": texts("integer64")}),
})  # fmt: skip
AS_TEXT = {
    "name": ["Žilina", "Nitra", None],
    "kind": ["city", "town", None],
    "code": ["500011", None, "7"],
    "share": ["2", "0.25", None],
    "ok": ["true", "false", None],
    "day": ["2021-01-01", "1969-12-31", None],
    "at": ["2021-01-01T00:00:00.500000", "1970-01-01T00:00:00", None],
    "big": ["1152921504606846976", "-1", None],
    "__row": [1, 2, 3],
    "__fault": [None, None, None],
}


def compact(name: str, state: bytes) -> bytes:
    return struct.pack(">i", 238) + pairs(a=struct.pack(">i", 1) + text(name)) + state + struct.pack(">i", NULL)


NESTED = struct.pack(">2i", 19, 1) * 5000
HEAD = rds(b"")


class TestRdataReader:
    def test_converts_every_type_to_text(self, file: Write) -> None:
        assert read(file(rds(TYPES)), OPTIONS).to_dict(as_series=False) == AS_TEXT

    @pytest.mark.parametrize(
        "pack", [bytes, gzip.compress, bz2.compress, lzma.compress, lambda data: bz2.compress(data[:50]) + bz2.compress(data[50:])]
    )
    def test_reads_every_compression(self, file: Write, pack: Callable[[bytes], bytes]) -> None:
        assert read(file(pack(rda(places=TYPES))), OPTIONS).to_dict(as_series=False) == AS_TEXT

    def test_reads_a_file_in_an_archive(self, tmp_path: Path) -> None:
        path = tmp_path / "snapshot"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("places.RData", gzip.compress(rda(places=TYPES)))
        assert read(path, ReadOptions(format="rdata", member="places.RData")).to_dict(as_series=False) == AS_TEXT
        with pytest.raises(UnreadableSnapshot, match=r"set read\.member to one of places\.RData"):
            read(path, OPTIONS)

    def test_keeps_nan(self, file: Write) -> None:
        result = read(file(rds(frame({"x": reals(float("nan"), float("inf"), NA_REAL)}))), OPTIONS)
        assert result["x"].to_list() == ["nan", "inf", None]

    def test_row_names_and_missing_values(self, file: Write) -> None:
        body = frame({"x": texts("a", "-")}, rows=texts("Mazda", "Škoda"))
        result = read(file(rds(body)), ReadOptions(format="rdata", na=["", "-"]))
        assert result.select("x", "row.names").rows() == [("a", "Mazda"), (None, "Škoda")]

    def test_decimal_mark_depends_on_thousands(self, file: Write) -> None:
        result = read(file(rds(frame({"x": reals(0.25)}))), ReadOptions(format="rdata", decimal=",", thousands="."))
        assert result["x"].to_list() == ["0,25"]

    def test_encodings_and_invalid_bytes(self, file: Write) -> None:
        column = vector(16, text(b"\x8eilina", 0x4000) + text(b"\xff\xfe") + text("ok"), 3)
        result = read(file(rds(frame({"x": column}))), OPTIONS)
        assert result["x"].to_list() == ["Žilina", "\ufffd\ufffd", "ok"]
        assert result["__fault"].to_list() == [None, "x: bytes not valid in utf-8: 0xff 0xfe", None]

    def test_needed_columns(self, file: Write) -> None:
        assert read(file(rds(TYPES)), OPTIONS, {"NAME", "share"}).columns == ["name", "share", "__row", "__fault"]

    def test_records_selects_a_table(self, file: Write) -> None:
        one, two = frame({"x": texts("1")}), frame({"x": texts("2")})
        path = file(rda(first=one, other=listed(two, names=texts("inner")), note=texts("no table")))
        assert read(path, OPTIONS)["x"].to_list() == ["1"]
        assert read(path, ReadOptions(format="rdata", records="/other/inner"))["x"].to_list() == ["2"]
        with pytest.raises(UnreadableSnapshot, match="no object at /third; third is not one of first, other, note"):
            read(path, ReadOptions(format="rdata", records="/third"))
        with pytest.raises(UnreadableSnapshot, match=r"several data frames: set read\.records to one of /a, /b"):
            read(file(rda(a=one, b=two)), OPTIONS)
        with pytest.raises(UnreadableSnapshot, match="no data frame; it has note"):
            read(file(rda(note=texts("x"))), OPTIONS)

    def test_expands_compact_vectors(self, file: Write) -> None:
        columns = {
            "n": compact("compact_intseq", reals(3, 10, -1)),
            "t": compact("deferred_string", pairs(a=reals(0.1 + 0.2, 5, NA_REAL), b=integers(0))),
            "w": compact("wrap_integer", listed(integers(7, 8, 9), integers(0, 0))),
        }
        result = read(file(rds(frame(columns))), OPTIONS)
        assert result.select("n", "t", "w").rows() == [("10", "0.3", "7"), ("9", "5", "8"), ("8", None, "9")]

    def test_skips_objects_without_data(self, file: Write) -> None:
        environment = struct.pack(">2i", 4, 0) + struct.pack(">i", 253) + pairs(x=texts("inside")) + struct.pack(">i", NULL) * 2
        namespace = struct.pack(">3i", 249, 0, 2) + text("base") + text("4.0.0")
        again = struct.pack(">i", 255 | 2 << 8)  # the second thing that can be referred to: the environment, after the symbol of `e`
        call = struct.pack(">i", 6) + struct.pack(">i", 1) + text("f") + pairs(x=reals(1))
        result = read(file(rda(e=environment, n=namespace, a=again, c=call, d=frame({"x": texts("1")}))), OPTIONS)
        assert result["x"].to_list() == ["1"]

    def test_refuses_nested_columns_only_if_needed(self, file: Write) -> None:
        path = file(rds(frame({"x": texts("1"), "geometry": listed(reals(1, 2)), "m": integers(1, 2, dim=integers(1, 2))})))
        assert read(path, OPTIONS).columns == ["x", "__row", "__fault"]
        assert read(path, OPTIONS, {"x"})["x"].to_list() == ["1"]
        with pytest.raises(UnreadableSnapshot, match="column geometry of the data frame has lists, a matrix"):
            read(path, OPTIONS, {"x", "geometry"})

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "not an R data file"),
            (b"<html>log in</html>", "not an R data file"),
            (b"RDA3\nA\n3\n263168\n", "ASCII or native form"),
            (b"X\n" + struct.pack(">3i", 9, 0, 0), "format version 9"),
            (rds(TYPES)[:-20], "truncated|bytes are left"),
            (rds(TYPES)[:9], "truncated"),
            (rds(TYPES) + b"x", "1 bytes after its end"),
            (HEAD + struct.pack(">2i", 13, 2**31 - 1), "2147483647 elements, but 0 bytes are left"),
            (HEAD + struct.pack(">4i", 16, -1, 1, 0), "4294967296 elements, but 0 bytes are left"),
            (HEAD + struct.pack(">2i", 16, 1) + struct.pack(">2i", 9, 2**30), "expected a text|bytes are left"),
            (HEAD + struct.pack(">2i", 16, 1) + struct.pack(">2i", 13, 0), "expected a text"),
            (HEAD + struct.pack(">2i", 9, -7), "a length of -7"),
            (HEAD + NESTED, "nested more than 64 deep"),
            (HEAD + (struct.pack(">2i", 17, NULL)) * 100_000, "truncated|nested"),
            (HEAD + struct.pack(">i", 3 << 8 | 255), "reference 3 of 0"),
            (HEAD + struct.pack(">i", 99), "unknown type 99"),
            (HEAD + struct.pack(">2i", 21, 1), "compiled function"),
            (HEAD + compact("compact_intseq", reals(1e12, 1, 1)), "too large: compact_intseq"),
            (HEAD + compact("compact_realseq", reals(float("nan"), 1, 1)), "too large: compact_realseq"),
            (HEAD + compact("compact_intseq", reals(2, 2**31, 1)), "too large: compact_intseq"),
            (HEAD + compact("mmap_real", texts("/etc/passwd")), "unknown or too large: mmap_real"),
            (rds(frame({"a": texts("1"), "b": texts("1", "2")})), "differ in length: a 1, b 2"),
            (
                rds(frame({"a": integers(3, kind=13, levels=texts("x"), **{"class": texts("factor")})})),
                "column a: 3 is not one of the 1 levels",
            ),
            (bz2.compress(rds(TYPES))[:-9], "bzip2 file is truncated"),
            (lzma.compress(rds(TYPES))[:-9], "xz file is truncated"),
            (gzip.compress(rds(TYPES))[:-9], "gzip file is truncated"),
            (b"BZh9" + b"x" * 40, "bzip2 file cannot be read"),
        ],
    )
    def test_refuses_broken_files(self, file: Write, content: bytes, reason: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=reason):
            read(file(content), OPTIONS)

    @pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
    def test_refuses_files_that_unpack_to_too_much(
        self, file: Write, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rdata_table, "MAX_BYTES", 10_000)
        with pytest.raises(UnreadableSnapshot, match="more than 10000 bytes"):
            read(file(pack(rds(texts(*["x" * 100] * 200)))), OPTIONS)

    @pytest.mark.slow
    def test_survives_truncation(self, file: Write) -> None:
        whole = rda(places=TYPES)
        for size in range(len(whole)):
            with pytest.raises(UnreadableSnapshot):
                read(file(whole[:size]), OPTIONS)

    @pytest.mark.slow
    def test_survives_changed_bytes(self, file: Write) -> None:
        whole = bytearray(rda(places=TYPES, more=compact("compact_intseq", reals(3, 1, 1))))
        refused = 0
        for place in range(len(whole)):
            before, whole[place] = whole[place], whole[place] ^ 0xFF
            try:
                read(file(bytes(whole)), OPTIONS)
            except UnreadableSnapshot:
                refused += 1
            whole[place] = before
        assert refused > 100

    @pytest.mark.slow
    def test_reads_real_lists_of_areas(self, real: Callable[[str], Path]) -> None:
        places = read(
            real("nuts_lau_2019.rda"), ReadOptions(format="rdata", records="/nuts_lau_2019"), {"country", "gisco_id", "population"}
        )
        assert places.height == 99140
        assert places["__row"].to_list() == list(range(1, 99141))
        visegrad = places.filter(pl.col("country").is_in(["CZ", "HU", "PL", "SK"]))
        assert dict(visegrad.group_by("country").len().iter_rows()) == {"CZ": 6258, "HU": 3155, "PL": 2478, "SK": 2927}
        assert visegrad.filter(gisco_id="SK_500011").rows() == [("76655", "SK", "SK_500011", 91794, None)]
        regions = read(real("all_valid_nuts_codes.rda"), OPTIONS)
        assert regions.row(0) == ("country", "BE", "code_2021", 1, None)
        assert regions.height == 12272

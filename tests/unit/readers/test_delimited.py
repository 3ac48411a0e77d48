"""Delimited text: every record comes out, whole and with its line, or with what is wrong with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers import ReadOptions, UnreadableSnapshot, delimited, read

File = Callable[[bytes | str], Path]
Real = Callable[[str], Path]


def options(**given: Any) -> ReadOptions:
    return ReadOptions(**{"format": "csv", "delimiter": ";", **given})


def rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The rows without `__fault`, which must be null everywhere."""
    assert frame["__fault"].null_count() == frame.height
    return frame.drop("__fault").rows()


# ----------------------------------------------------------------------------------------------------------- properties

_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
_table = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(_text, min_size=width, max_size=width), min_size=1, max_size=8))


def _bare(cell: str) -> str:
    """Python and polars do not agree on every blank (U+001C ...)."""
    return cell.strip()


_LINES = [b"a;b\n", b'"a";b\r\n', b'"x;""y";\n', b"\n", b"1;2;3\n", b'"p\nq";r\n', b"\xc5\x99;\xff\n", b";\n"]


# ------------------------------------------------------------------------------------------------------------ real bytes


class TestDelimitedReader:
    def test_returns_text_and_line_numbers(self, file: File) -> None:
        frame = read(file("kod;nazev;n\n0640;Brno-město;1.50\n0001; Aš\u00a0;\n"), options())
        assert frame.schema == {"kod": pl.String, "nazev": pl.String, "n": pl.String, "__row": pl.Int64, "__fault": pl.String}
        assert rows(frame) == [("0640", "Brno-město", "1.50", 2), ("0001", "Aš", None, 3)]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, file: File, end: str) -> None:
        assert rows(read(file(end.join(["a;b", "1;2", "3;4", ""])), options())) == [("1", "2", 2), ("3", "4", 3)]
        assert rows(read(file(end.join(["a;b", "1;2", "3;4"])), options())) == [("1", "2", 2), ("3", "4", 3)]

    def test_windows_1250(self, file: File) -> None:
        assert rows(read(file("obec;n\nŽďár;1\n".encode("cp1250")), options(encoding="windows-1250"))) == [("Žďár", "1", 2)]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
    @pytest.mark.parametrize("declared", ["utf-8", "windows-1250"])
    def test_byte_order_mark(self, file: File, encoding: str, declared: str) -> None:
        frame = read(file("obec;n\nŽďár;1\n".encode(encoding)), options(encoding=declared))
        assert frame.columns[0] == "obec"
        assert rows(frame) == [("Žďár", "1", 2)]

    def test_invalid_bytes_fault_their_rows(self, file: File) -> None:
        body = "a;b\n1;Žďár\n2;".encode() + b"\x8eatec\n" + "3;Aš\n".encode()
        frame = read(file(body), options())
        assert frame.select("a", "__row").rows() == [("1", 2), ("2", 3), ("3", 4)]
        assert frame["b"].to_list() == ["Žďár", "\ufffdatec", "Aš"]
        assert frame["__fault"].to_list() == [None, "bytes not valid in utf-8: 0x8e", None]

    def test_bytes_missing_in_the_encoding(self, file: File) -> None:
        frame = read(file(b"a;b\n1;x\x81y\n2;z\n"), options(encoding="windows-1250"))
        assert frame["__fault"].to_list() == ["bytes not valid in cp1250: 0x81", None]

    def test_nul_characters_fault_their_row(self, file: File) -> None:
        frame = read(file(b"a;b\n1;2\n\0\0\0\0\0;\0\n3;4\n"), options())
        assert frame["__fault"].to_list() == [None, "a NUL character", None]
        assert frame["__row"].to_list() == [2, 3, 4]

    @pytest.mark.parametrize("filler", [0, 200])
    def test_ragged_rows_get_a_fault(self, file: File, filler: int) -> None:
        """With and without enough regular rows around them for the fast way."""
        frame = read(file("a;b;c\n1;2;3\n4;5\n6;7;8;9\n" + "x;y;z\n" * filler + "7;8;9\n"), options())
        assert frame.height == 4 + filler
        assert frame.head(3).select("a", "b", "c", "__row").rows() == [("1", "2", "3", 2), ("4", "5", None, 3), ("6", "7", "8", 4)]
        assert frame["__fault"].to_list() == [None, "2 fields, expected 3", "4 fields, expected 3"] + [None] * (filler + 1)
        assert frame["__row"].to_list() == list(range(2, 6 + filler))

    def test_short_last_row(self, file: File) -> None:
        assert read(file("a;b\n1;2\n3"), options())["__fault"].to_list() == [None, "1 fields, expected 2"]

    def test_trailing_delimiters(self, file: File) -> None:
        assert rows(read(file("a;b\n1;2;\n3;4;\n"), options())) == [("1", "2", 2), ("3", "4", 3)]
        mixed = read(file("a;b\n1;2;\n3;4\n"), options())
        assert mixed["__fault"].to_list() == ["3 fields, expected 2", None]
        shifted = read(file("a;b\n1;2;x\n3;4;\n"), options())
        assert shifted["__fault"].to_list() == ["3 fields, expected 2"] * 2

    def test_blank_lines_count_as_lines(self, file: File) -> None:
        assert rows(read(file("\n  \na;b\n\n1;2\n \t\n3;4\n\n\n"), options())) == [("1", "2", 5), ("3", "4", 7)]
        assert rows(read(file("a\n1\n\n2\n"), options())) == [("1", 2), ("2", 4)]

    def test_row_of_empty_fields(self, file: File) -> None:
        assert rows(read(file("a;b\n;\n1;2\n"), options())) == [(None, None, 2), ("1", "2", 3)]
        assert rows(read(file("a\tb\n\t\n1\t2\n"), options(delimiter="\t"))) == [(None, None, 2), ("1", "2", 3)]
        assert rows(read(file('a\n""\n1\n'), options())) == [(None, 2), ("1", 3)]

    @pytest.mark.parametrize("filler", [0, 50])
    def test_quoted_fields(self, file: File, filler: int) -> None:
        text = 'a;b\n"x;y";"říká ""ne"""\n' + "1;2\n" * filler + '"dva\nřádky";2\nz;""\n'
        got = rows(read(file(text), options()))
        assert got[0] == ("x;y", 'říká "ne"', 2)
        assert got[-2:] == [("dva\nřádky", "2", filler + 3), ("z", None, filler + 5)]
        assert len(got) == filler + 3

    def test_keeps_crlf_in_fields(self, file: File) -> None:
        assert rows(read(file('a;b\r\n"1\r\n2";x\r\n3;4\r\n'), options())) == [("1\r\n2", "x", 2), ("3", "4", 4)]

    def test_quotes_in_unquoted_fields(self, file: File) -> None:
        assert rows(read(file('a;b\n5" trubka;1\nObec "U lesa";2\n"q";3\n'), options())) == [
            ('5" trubka', "1", 2), ('Obec "U lesa"', "2", 3), ("q", "3", 4),
        ]  # fmt: skip

    def test_blanks_around_quoted_fields(self, file: File) -> None:
        assert rows(read(file('a, b\n1, "x, y" \n'), options(delimiter=","))) == [("1", "x, y", 2)]

    def test_no_quotes_declared(self, file: File) -> None:
        assert rows(read(file('a;b\n"x;y"\n1;"\n'), options(quote=""))) == [('"x', 'y"', 2), ("1", '"', 3)]
        assert rows(read(file("a;b\n'x;y';\"z\"\n"), options(quote="'"))) == [("x;y", '"z"', 2)]

    def test_text_after_a_closing_quote(self, file: File) -> None:
        frame = read(file('a;b\n"x"y;1\n"ok";2\n'), options())
        assert frame["__fault"].to_list() == ["text after a closing quote", None]
        assert frame["b"].to_list() == ["1", "2"]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ('a;b\n1;2\n"3;4\n5;6\n7;8\n', 3),  # never closed
            ('a;b\n1;2\n"3;4\n5;6\n"7";8\n9;0\n', 3),  # closed by the next field's opening quote
            ('a;b\n1;"2\n3;"4\n5;6\n', 2),
            ('a;b;c\n1;2;3\n4;"5;6\n7;8;9\n0;1"\n3;4;5\n', 3),  # closes at the edge of a field, over a whole row
        ],
    )
    def test_unclosed_quote(self, file: File, text: str, line: int) -> None:
        with pytest.raises(UnreadableSnapshot, match=rf"^line {line}: a quote"):
            read(file(text), options())

    def test_skipped_lines_and_two_header_rows(self, file: File) -> None:
        text = 'Sestava "A\n\nKód;Obyvatel;;Věk\n;muži;ženy;\n0640;1;2;40\n'
        frame = read(file(text), options(skip_rows=2, header_rows=2))
        assert frame.columns[:4] == ["Kód", "Obyvatel / muži", "Obyvatel / ženy", "Věk"]
        assert rows(frame) == [("0640", "1", "2", "40", 5)]

    def test_names_replace_the_header(self, file: File) -> None:
        path = file("Tabulka 1\n1;2;3\n4;5;6\n")
        assert rows(read(path, options(names=["a", "b", "c"]))) == [("1", "2", "3", 2), ("4", "5", "6", 3)]
        wider = read(path, options(names=["a", "b", "c", "d"]))
        assert wider.columns == ["a", "b", "c", "d", "__row", "__fault"]
        assert rows(wider) == [("1", "2", "3", 2, None), ("4", "5", "6", 3, None)] or wider["d"].to_list() == [None, None]
        assert rows(read(path, options(names=["a"]))) == [("1", 2), ("4", 3)]
        assert rows(read(file("1;2\n3;4\n"), options(names=["a", "b"], header_rows=0))) == [("1", "2", 1), ("3", "4", 2)]

    def test_names_with_ragged_rows(self, file: File) -> None:
        frame = read(file("x\n1;2;3\n4;5\n6;7;8\n"), options(names=["a", "b"]))
        assert rows(frame) == [("1", "2", 2), ("4", "5", 3), ("6", "7", 4)]

    @pytest.mark.parametrize("short", [3, 30])
    def test_names_read_long_lines_among_short_ones(self, file: File, short: int) -> None:
        frame = read(file("x\n" + "county;C\n" * short + "t1;2;3;4;5\nt2;6;7\n"), options(names=["a", "b", "c"]))
        assert frame.tail(2).select("a", "b", "c").rows() == [("t1", "2", "3"), ("t2", "6", "7")]
        assert frame["__fault"].drop_nulls().to_list() == ["5 fields, expected 3"]
        assert frame.head(short)["c"].null_count() == short

    def test_header_names_become_unique(self, file: File) -> None:
        frame = read(file(" a ;a;;__row;a.2\n1;2;3;4;5\n"), options())
        assert frame.columns == ["a", "a.2", "column_3", "_row", "a.2.2", "__row", "__fault"]

    def test_no_header(self, file: File) -> None:
        assert read(file("1;2\n"), options(header_rows=0)).columns[:2] == ["column_1", "column_2"]

    @pytest.mark.parametrize("filler", [0, 50])
    def test_field_with_line_breaks_and_delimiters_must_be_declared(self, file: File, filler: int) -> None:
        text = "a;b;c\n" + "1;2;3\n" * filler + 't1;"x;1\nt2;y";2\nt3;z;3\n'
        with pytest.raises(UnreadableSnapshot, match=f"line {filler + 2}: a quoted field goes on to line {filler + 3} and has delimiters"):
            read(file(text), options())
        frame = read(file(text), options(multiline=True))
        assert rows(frame)[-2:] == [("t1", "x;1\nt2;y", "2", filler + 2), ("t3", "z", "3", filler + 4)]
        apart = 'a;b;c\n"x;y";"two\nlines";2\n'
        assert rows(read(file(apart), options())) == [("x;y", "two\nlines", "2", 2)]

    @pytest.mark.parametrize("filler", [0, 50])
    def test_escape_before_quotes_and_delimiters(self, file: File, filler: int) -> None:
        text = (
            'a;b;c\n"t1";"Town \\"New; Old\\"";"5"\n'
            + '"x";"y";"z"\n' * filler
            + 'u\\;v;"one\nsaid \\"two\\"";\\N\n"a""b";c:\\\\d;e\\\nf\n'
        )
        got = rows(read(file(text), options(escape="\\")))
        assert got[0] == ("t1", 'Town "New; Old"', "5", 2)
        assert got[-2:] == [("u;v", 'one\nsaid "two"', "\\N", filler + 3), ('a"b', "c:\\d", "e\nf", filler + 5)]
        with pytest.raises(UnreadableSnapshot, match="line 2: a quoted field never ends"):
            read(file('a;b\n1;"x\\"\n'), options(escape="\\"))

    def test_missing_values(self, file: File) -> None:
        path = file("a;b\n-;x\n i.d. ;\n")
        assert rows(read(path, options(na=["", "-", "i.d."]))) == [(None, "x", 2), (None, None, 3)]
        assert rows(read(path, options(na=["-"]))) == [(None, "x", 2), ("i.d.", "", 3)]
        assert rows(read(path, options(na=[]))) == [("-", "x", 2), ("i.d.", "", 3)]

    def test_needed_columns(self, file: File) -> None:
        frame = read(file("Kod;nazev;n\n1;2;3\n4;5\n"), options(), ["KOD", "n", "absent"])
        assert frame.columns == ["Kod", "n", "__row", "__fault"]
        assert frame["n"].to_list() == ["3", None]
        assert read(file("a;b\n1;2\n"), options(), []).rows() == [(2, None)]

    def test_header_without_rows(self, file: File) -> None:
        frame = read(file("a;b\n"), options())
        assert (frame.columns, frame.height) == (["a", "b", "__row", "__fault"], 0)

    @pytest.mark.parametrize(
        ("content", "given", "message"),
        [
            (b"", {}, "the file is empty"),
            (b"\xef\xbb\xbf\n", {}, "the file is empty"),
            (b"a;b\n", {"skip_rows": 5}, "skip_rows is 5"),
            (b"a;b\n", {"header_rows": 2}, "expected 2 header rows"),
            (b"a;\xff\n1;2\n", {}, "line 1: the header cannot be read: bytes not valid in utf-8: 0xff"),
            (b'a;"b\n1;2\n', {}, "line 1: a quoted field never ends"),
            (b"\x1f\x8b\x08\x00", {}, "gzip"),
        ],
    )
    def test_error_messages(self, file: File, content: bytes, given: dict[str, Any], message: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=message):
            read(file(content), options(**given))

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableSnapshot, match="cannot be read: No such file"):
            read(tmp_path / "no.csv", options())

    def test_multibyte_delimiter(self, file: File) -> None:
        assert rows(read(file("a§b\n1§2\n"), options(delimiter="§"))) == [("1", "2", 2)]

    def test_quoted_text_over_many_fields(self, file: File) -> None:
        text = "a;b\n" + '1;"x"\n' * 3000 + "broken\n" + '2;"y\ny"\n' * 3000
        frame = read(file(text), options())
        assert frame.height == 6001
        assert frame["__fault"].drop_nulls().to_list() == ["1 fields, expected 2"]
        assert frame["__row"][-1] == 1 + 3000 + 1 + 2 * 2999 + 1

    @settings(max_examples=200, deadline=None)
    @given(_table, st.sampled_from([";", ",", "\t"]), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    def test_round_trip(
        self, tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], delimiter: str, end: str, quoting: Any
    ) -> None:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting)
        writer.writerow([f"c{i}" for i in range(len(table[0]))])
        writer.writerows(table)
        path = tmp_path_factory.getbasetemp() / "written.csv"
        path.write_bytes(buffer.getvalue().encode())
        frame = read(path, options(delimiter=delimiter, na=[], multiline=True))
        assert frame["__fault"].null_count() == frame.height
        got = [[_bare(cell) for cell in row] for row in frame.drop("__row", "__fault").rows()]
        assert got == [[_bare(cell) for cell in row] for row in table]

    @pytest.mark.slow
    @settings(max_examples=400, deadline=None)
    @given(
        st.binary(max_size=5)
        .map(lambda b: bytes(b'";\n\r ab\xc5\x99\xff\0'[x % 11] for x in b))
        .flatmap(lambda odd: st.lists(st.sampled_from([*_LINES, odd]), max_size=12))
    )
    def test_fast_and_careful_paths_agree(self, tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
        path = tmp_path_factory.getbasetemp() / "pieces.csv"
        path.write_bytes(b"h;i\n" + b"1;2\n" * 30 + b"".join(pieces))
        results = []
        for fast in (True, False):
            with pytest.MonkeyPatch.context() as patch:
                if not fast:
                    patch.setattr(delimited, "_fast", lambda *_: None)
                try:
                    results.append(read(path, options()).rows())
                except UnreadableSnapshot as error:
                    results.append([(str(error),)])
        assert results[0] == results[1]

    @pytest.mark.parametrize(
        ("name", "given", "height", "first"),
        [
            ("ZUJ_ORP.csv", {}, 6258, {"ZUJ_Kod": "500011", "ORP_Kod": "7213"}),
            ("LexikonObci.csv", {}, 6259, {"ZUJ_Cislo": "554782"}),
            ("obce.csv", {"encoding": "windows-1250"}, 6533, {"NAZEVZAST": "Želechovice nad Dřevnicí"}),
            ("RU.csv", {}, 1740, {"ORGANIZACE": "0000000000133"}),
            ("expenditures_2016.csv", {}, 8477, {"PARAGRAF": "1014"}),
            ("200110_2021.csv", {}, 7757, {"Mnozstvi": "2,289"}),
            ("Unique_ORP.csv", {}, 206, {"Pocet_Obyvatel": "1 275 406"}),
            ("vek.csv", {}, 2927, {"Kod": "SK0101528595"}),
        ],
    )
    def test_real_files(self, real: Real, name: str, given: dict[str, Any], height: int, first: dict[str, str]) -> None:
        frame = read(real(name), options(**given))
        assert frame.height == height
        assert frame["__fault"].null_count() == height
        assert frame["__row"].to_list() == list(range(2, height + 2))
        assert {name: frame[name][0] for name in first} == first

    def test_real_files_agree_with_the_csv_module(self, real: Real) -> None:
        path = real("kandidati.tsv")
        frame = read(path, options(delimiter="\t", na=[]))
        with path.open(encoding="utf-8", newline="") as stream:
            header, *body = list(csv.reader(stream, delimiter="\t"))
        assert frame.columns[:-2] == header
        assert [list(row[:-2]) for row in frame.rows()] == [[cell.strip() for cell in row] for row in body]

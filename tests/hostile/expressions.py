"""Hostile expressions in a pack: those that `zpo2 check` must refuse, and those that run and must stay within limits."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.hostile.case import BRNO, PRAHA, Bad, Case, Outcome, table

GROUP = "Expressions of a pack"
PLACES = {"value": "map.measures.m.value", "where": "map.where", "ignore": "read.ignore", "area": "map.area.code", "universe": "universe"}


@dataclass(frozen=True)
class Refused:
    """An expression that must never run: `zpo2 check` ends with exit code 2, and says where and why."""

    id: str
    what: str
    text: str
    reason: str
    place: str = "value"

    def declaration(self) -> str:
        """Return the YAML of a source with the expression in its place."""
        given = {"value": "value", "where": "true", "ignore": "false", "area": "code", "universe": "all"} | {self.place: self.text}
        q = {name: json.dumps(text) for name, text in given.items()}
        return (
            f"id: {self.id}\ntitle: x\npublisher: x\nlicence: CC0-1.0\ntheme: census\nuniverse: {q['universe']}\n"
            f"fetch: {{url: data/honest.csv}}\nread: {{format: csv, ignore: {q['ignore']}}}\n"
            f"columns: {{code: {{}}, value: {{type: number}}, secret: {{personal: true}}}}\ninto: observations\n"
            f"map:\n  where: {q['where']}\n  area: {{scheme: cz, code: {q['area']}}}\n  period: \"'2021'\"\n"
            f"  measures: {{m: {{value: {q['value']}}}}}\n"
        )


SHAPE = "expected one scalar expression"
LIST = "is not in the list of functions"
REFUSED = [
    Refused("x_subquery", "a subquery", "(select max(value) from input)", "subquery is not allowed"),
    Refused("x_exists", "a subquery under `exists`", "exists (select 1 from duckdb_settings())", "subquery is not allowed", "where"),
    Refused("x_in_subquery", "a subquery under `in`", "code in (select name from duckdb_secrets())", "subquery is not allowed", "ignore"),
    Refused("x_correlated", "a subquery deep inside other calls", "abs(coalesce(value, case when value > 1 then (select 1) end))",
             "subquery is not allowed"),
    Refused("x_from", "a second table", "value from read_csv('/etc/passwd')", SHAPE),
    Refused("x_union", "a second query", "value union all select 1", SHAPE),
    Refused("x_cte", "a recursive query that never ends",
             "(with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t)", "subquery is not allowed"),
    Refused("x_semicolon", "a second statement", "value; drop table input", "not an expression"),
    Refused("x_copy", "a statement that writes a file", "1; copy (select 1) to '/var/zpo2-hostile.csv'", "", "where"),
    Refused("x_attach", "a statement that opens another database", "1; attach '/var/zpo2-hostile.db' as x", ""),
    Refused("x_pragma", "a pragma", "1; pragma database_list", ""),
    Refused("x_set", "a setting", "1; set memory_limit = '100GB'", ""),
    Refused("x_install", "an extension", "1; install httpfs", ""),
    Refused("x_only_statement", "a statement in place of an expression", "drop table input", ""),
    Refused("x_comment_escape", "a comment that hides the closing bracket", "value) -- ", "not an expression"),
    Refused("x_block_comment", "a comment that never ends", "value /* ", "not an expression"),
    Refused("x_bracket_escape", "brackets that close what is round them", "1) as double), (select 1", "not an expression"),
    Refused("x_alias", "a name for the result that another column has", 'value as "__n"', SHAPE),
    Refused("x_two_columns", "two expressions", "value, code", SHAPE),
    Refused("x_star", "all columns", "*", "star is not allowed"),
    Refused("x_columns", "columns by a pattern", "columns('.*')", "not allowed"),
    Refused("x_read_csv", "a table function that reads a file", "read_csv('/etc/passwd')", LIST),
    Refused("x_read_text", "a function that reads a file", "read_text('/etc/passwd')", LIST),
    Refused("x_read_blob", "a function that reads bytes, in the condition of a universe", "read_blob('/etc/passwd') is not null", LIST,
             "universe"),
    Refused("x_glob", "a function that lists files", "glob('/*')", LIST, "area"),
    Refused("x_file_table", "a file as a table", "value from '/etc/passwd'", SHAPE),
    Refused("x_getenv", "a variable of the environment", "getenv('ZPO2_SECRET_X')", LIST),
    Refused("x_setting", "a setting, read", "current_setting('secret_directory')", LIST),
    Refused("x_random", "a random number: the same snapshot must give the same rows", "random()", LIST),
    Refused("x_now", "the clock", "epoch(now())", LIST),
    Refused("x_current_date", "the date of today, without brackets", "year(current_date)", ""),
    Refused("x_uuid", "an identifier that is new every time", "length(uuid())", LIST),
    Refused("x_sequence", "a sequence, which changes by being read", "nextval('s')", LIST),
    Refused("x_window", "a window over other rows", "sum(value) over (order by code)", "window is not allowed"),
    Refused("x_row_number", "the number of the row", "row_number() over ()", "window is not allowed"),
    Refused("x_aggregate", "an aggregate where rows are mapped one by one", "sum(value)", "aggregates are allowed only in the measures"),
    Refused("x_lambda", "a function of the pack's own", "list_transform([1], lambda x: x)", ""),
    Refused("x_repeat", "a text repeated until memory ends", "length(repeat(code, 2000000000))", LIST),
    Refused("x_range", "a list of all numbers there are", "len(range(9223372036854775807))", LIST),
    Refused("x_parameter", "a parameter", "$1", "parameter is not allowed"),
    Refused("x_schema", "a function by the name of another schema", "pg_catalog.pg_sleep(60)", "a schema before a function is not allowed"),
    Refused("x_qualified", "a column by the name of its table", "input.value", "expected a plain column name"),
    Refused("x_system_column", "a column that only the system has", "rowid", "no such column"),
    Refused("x_internal_column", "a column of the pipeline's own", "__row", "no such column"),
    Refused("x_personal", "a personal column where the result is stored", "secret", "uses a personal column", "area"),
    Refused("x_cast_json", "a type that is a way to other functions", "cast(code as json)", "cast to"),
    Refused("x_cast_list", "a type of many values", "cast(code as varchar[])", "cast to"),
    Refused("x_struct", "a structure", "{'a': value}", "not"),
    Refused("x_macro", "a macro", "1; create macro abs(x) as 1", ""),
    Refused("x_empty", "nothing", " ", ""),
    Refused("x_lpad", "a text padded to two gigabytes, which no limit of the database stops", "length(lpad(code, 2000000000, 'x'))",
             "lpad: expected a number of at most"),
    Refused("x_rpad_column", "a text padded to a length that the file gives", "length(rpad(code, cast(value as integer), 'x'))",
             "rpad: expected a number of at most"),
    Refused("x_replace", "a text that grows tenfold with each of nine replacements",
             "length(" + "replace(" * 9 + "code" + ", 'x', 'xxxxxxxxxx')" * 9 + ")",
            "replace: nested replacements can make"),
    Refused("x_deep", "brackets nested twenty thousand deep", "(" * 20_000 + "1" + ")" * 20_000, ""),
    Refused("x_long_chain", "a sum of eleven thousand terms", "1" + " + 1" * 11_000, ""),
]  # fmt: skip

TWO = table("554782,1", "582786,2")
EVIL = "a" * 40 + "!"
CASES = [
    Case("regex_nested", GROUP, "a pattern with nested repetitions, which takes for ever where an engine backtracks: this one does not",
         table(f"554782,1,{EVIL}", "582786,2,aa", header="code,value,text"), Outcome(((BRNO, 2.0),), ignored={"where": 1}),
         columns="{code: {required: true}, value: {type: number}, text: {}}",
         map="{where: \"regexp_full_match(text, '(a+)+')\", area: {scheme: cz, code: code}, period: \"'2021'\", measures: {regex_nested: value}}"),
    Case("regex_contract", GROUP, "the same pattern in a column's contract", table(f"554782,1,{EVIL}", "582786,2,aa",
             header="code,value,text"),
         Outcome(((BRNO, 2.0),), (Bad(2, None, "text: does not match"),)),
         columns="{code: {required: true}, value: {type: number}, text: {required: true, pattern: '(a+)+'}}"),
    Case("regex_from_the_file", GROUP, "a pattern that the file itself gives, and that is none", table("554782,1,(", "582786,2,5",
             header="code,value,text"),
         Outcome(((BRNO, 2.0),), (Bad(2, "regex_from_the_file", "missing ): ("),)),
         columns="{code: {required: true}, value: {type: number}, text: {}}",
         value="\"case when regexp_matches(code, text) then value end\""),
    Case("regex_huge_repetition", GROUP, "a pattern whose repetition would need gigabytes", TWO,
         Outcome(refused="invalid repetition size"),
         value="\"case when regexp_matches(code, '((a{1000}){1000}){1000}') then 1 else value end\""),
    Case("cast_fails", GROUP, "a conversion that fails in one row stops no other", table("554782,1,x", "582786,2,5",
             header="code,value,text"),
         Outcome(((BRNO, 5.0),), (Bad(2, "cast_fails", "Could not convert string"),)),
         columns="{code: {required: true}, value: {type: number}, text: {}}",
         value='"cast(text as integer)"'),
    Case("area_fails", GROUP, "the same in the expression that names the area: the row is not placed", table("554782,1,x",
             "582786,2,582786", header="code,value,text"),
         Outcome(((BRNO, 2.0),), (Bad(2, None, "map.area: Conversion Error"),)),
         columns="{code: {required: true}, value: {type: number}, text: {}}",
         area='{scheme: cz, code: "cast(cast(text as integer) as varchar)"}'),
    Case("ignore_names_nothing", GROUP, "an `ignore` over a column that the file does not have", TWO,
             Outcome(refused="read.ignore: the file has no column total; its columns are code, value"),
         read="{format: csv, ignore: \"total = 'x'\"}"),
    Case("comment_in_expression", GROUP, "a comment at the end of an expression comments nothing else out", TWO, Outcome(((PRAHA, 1.0),
             (BRNO, 2.0))), value='"value -- the end"'),
]  # fmt: skip

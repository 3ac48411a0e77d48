"""Hostile declarations: files of a pack that `zpo2 check` must refuse in bounded time, with file, line and key."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GROUP = "Declarations of a pack"
HEAD = "id: x\ntitle: x\ncountry: CZ\nlevels: [{id: lau}]\n"
SOURCE = """id: s
title: x
publisher: x
licence: CC0-1.0
theme: census
fetch: {url: data/a.csv}
read: {format: csv}
columns: {code: {}, value: {type: number}}
into: observations
map: {area: {ref_area: code}, period: "'2021'", measures: {m: {value: value}}}
"""
INDICATOR = "id: i\ntitle: x\nunit: '%'\nobjective: ZPO2-1\ndirection: none\nlevels: [lau]\nformula: {numerator: [{measure: m}]}\n"


@dataclass(frozen=True)
class Declared:
    """A file of a pack, and the text that `zpo2 check` says of it after `file:line:`."""

    id: str
    what: str
    file: str
    text: str | Callable[[Path], None]
    reason: str

    @property
    def is_of_data(self) -> bool:
        """Whether the declaration is right, and what it declares leads out of the pack."""
        return self.reason.endswith("no such file in the pack")

    def write(self, root: Path) -> None:
        """Write a pack with this file into the folder `root`."""
        files = {"pack.yml": HEAD, "sources/s.yml": SOURCE, "indicators/i.yml": INDICATOR, "data/a.csv": "code,value\n1,1\n"}
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        target = root / self.file
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)
        if callable(self.text):
            self.text(target)
        else:
            target.write_text(self.text, encoding="utf-8")


def nested_maps(depth: int) -> str:
    return "\n".join(" " * i + f"k{i}:" for i in range(depth))


def source(old: str, new: str) -> str:
    assert old in SOURCE
    return SOURCE.replace(old, new)


def indicator(extra: str) -> str:
    return INDICATOR + extra


def expression(text: str) -> str:
    return source("measures: {m: {value: value}}", f"measures: {{m: {{value: {json.dumps(text)}}}}}")


def beside(name: str, content: str | bytes = SOURCE) -> Callable[[Path], None]:
    """Return the function that writes the source `s` and another file of the pack."""

    def write(target: Path) -> None:
        target.write_text(SOURCE, encoding="utf-8")
        (target.parents[1] / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def many_sources(count: int) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        target.write_text(HEAD, encoding="utf-8")
        for i in range(count):
            (target.parent / "sources" / f"s{i}.yml").write_text("", encoding="utf-8")

    return write


def logo(content: bytes) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        target.write_text(HEAD + "site: {logo: logo.png}\n", encoding="utf-8")
        (target.parent / "logo.png").write_bytes(content)

    return write


def in_utf16(target: Path) -> None:
    target.write_text(HEAD, encoding="utf-16")


def leading_out(target: Path) -> None:
    """Make the file a link to one with a secret outside of the pack."""
    secret = target.parents[2] / "secret.txt"
    secret.write_text("the_secret: 1\n", encoding="utf-8")
    target.symlink_to(secret)


def data_leading_out(target: Path) -> None:
    target.write_text(SOURCE, encoding="utf-8")
    data = target.parents[1] / "data" / "a.csv"
    data.unlink()
    data.symlink_to("/etc/passwd")


def aliases(depth: int) -> str:
    """Return lists inside each other by their names, a line each."""
    return "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, depth))


def bomb(levels: int) -> str:
    return "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, levels))


def pinned(*digests: str) -> str:
    return json.dumps([{"source": "s", "part": "", "sha256": digest} for digest in digests])


DEEP = "lists and maps inside each other"
TAGS = "tags are not supported"
PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
ESCAPE = "\\e]0;owned\\a\\e[31m"
CASES = [
    Declared("brackets", "a hundred thousand opening brackets", "pack.yml", "[" * 100_000, DEEP),
    Declared("braces", "ten thousand maps that begin on one line", "pack.yml", "{a: " * 10_000, DEEP),
    Declared("nested_maps", "three thousand maps inside each other, a line each", "pack.yml", nested_maps(3000), DEEP),
    Declared("nested_lists", "lists inside each other in block style", "sources/s.yml", "- " * 5000 + "x", DEEP),
    Declared("nested_index", "an index a thousand levels deep", "indices/n.yml",
             "id: n\ntitle: x\nobjective: ZPO2-1\ncomponents: " + "[{id: a, components: " * 1000 + "[]" + "}]" * 1000, DEEP),
    Declared("digits", "a whole number of five thousand digits", "pack.yml", HEAD + "min_coverage: " + "9" * 5000, "at most 100 digits"),
    Declared("exponent", "a number of five thousand digits before its exponent", "pack.yml", HEAD + "min_coverage: " + "9" * 5000 + "e1",
             "at most 100 digits"),
    Declared("large_file", "a file of six megabytes", "sources/s.yml", SOURCE + "#" * 6_000_000, "more than 5000000 bytes"),
    Declared("pipe", "a named pipe in place of a file: reading it would wait for ever", "sources/s.yml", os.mkfifo,
             "not a file"),
    Declared("device", "a link to a device that never ends", "sources/s.yml", lambda path: path.symlink_to("/dev/zero"), "not a file"),
    Declared("folder", "a folder in place of a file", "sources/s.yml", lambda path: path.mkdir(), "not a file"),
    Declared("lock_nested", "pinned snapshots as a hundred thousand lists inside each other", "snapshots.lock", "[" * 100_000,
             "not a list of pinned snapshots"),
    Declared("lock_values", "pinned snapshots that are numbers", "snapshots.lock", "[1, 2]", "not a list of pinned snapshots"),
    Declared("parts", "variables with 100 values each, six of them: a million million snapshots", "sources/s.yml",
             source("fetch: {url: data/a.csv}",
                    "fetch: {url: 'data/{a}{b}{c}{d}{e}{f}.csv', parts: " + json.dumps({v: [str(i) for i in range(100)] for v in "abcdef"}) + "}"),
             "at most 10000 snapshots"),
    Declared("escape_in_key", "a key that sets the title of the terminal", "pack.yml", HEAD + f'"{ESCAPE}": 1\n', "no control characters"),
    Declared("escape_in_pattern", "a pattern with a terminal escape", "sources/s.yml",
             source("code: {}", f'code: {{pattern: "[{ESCAPE}"}}'), "no control characters"),
    Declared("escape_in_expression", "an expression with a terminal escape", "sources/s.yml",
             source("measures: {m: {value: value}}", f'measures: {{m: {{value: "{ESCAPE}"}}}}'), "no control characters"),
    Declared("turning_title", "a title that turns the direction of what follows", "pack.yml", HEAD.replace("title: ", 'title: "\\u202etxt" # '),
             "no characters that turn the direction"),
    Declared("turning_comment", "a comment in which an override hides what the line does (Trojan Source)", "pack.yml",
             HEAD + "# \u202e off\n", "a file has no characters that turn the direction"),
    Declared("many_marks", "a title with five hundred combining marks on a letter", "pack.yml",
             HEAD.replace("title: ", "title: Z" + "\u0301" * 500 + " # "), "more than four combining marks"),
    Declared("url_nul", "an address with a zero byte", "sources/s.yml", source("url: data/a.csv", 'url: "https://data.example.org/\\0a.csv"'),
             "no control characters"),
    Declared("path_nul", "a path with a zero byte", "sources/s.yml", source("url: data/a.csv", 'url: "data/\\0a.csv"'), "no control characters"),
    Declared("url_bracket", "an address with an open bracket", "sources/s.yml", source("data/a.csv", "'http://['"), "not an address"),
    Declared("url_bracket_name", "an address with a name in brackets", "sources/s.yml", source("data/a.csv", "'http://[zz]/'"),
             "not an address"),
    Declared("url_port", "an address whose port is no number", "sources/s.yml", source("data/a.csv", "'http://data.example.org:x/'"),
             "not an address"),
    Declared("url_no_host", "an address without a host", "sources/s.yml", source("data/a.csv", "'https:///a.csv'"), "names no host"),
    Declared("language_sql", "a language that is SQL", "pack.yml", HEAD + "languages: [\"en'; drop table x--\"]\n", "languages.0"),
    Declared("language_path", "a language that is a path", "pack.yml", HEAD + "languages: [../../en]\n", "languages.0"),
    Declared("long_id", "an indicator whose name has 300 letters, too many for the name of a file", "indicators/i.yml",
             INDICATOR.replace("id: i\n", f"id: {'i' * 300}\n"), "{0,99}$"),
    Declared("window", "a window of a thousand million years", "indicators/i.yml",
             INDICATOR.replace("numerator:", "window: {years: 1000000000}, numerator:"), "less than or equal to 100"),
    Declared("lag", "a lag of a thousand million years", "indicators/i.yml",
             INDICATOR.replace("{measure: m}", "{measure: m, lag: 1000000000}"), "less than or equal to 100"),
    Declared("replace_column", "a replacement that the file gives: each letter becomes a text of any length", "sources/s.yml",
             source("measures: {m: {value: value}}", "measures: {m: {value: \"length(replace(code, 'a', code))\"}}"),
             "expected a text in quotes as the replacement"),
    Declared("pad_replace", "a padded text, each letter of which becomes a thousand", "sources/s.yml",
             source("measures: {m: {value: value}}", "measures: {m: {value: \"length(replace(lpad(code, 900, 'x'), 'x', '" + "y" * 900 + "'))\"}}"),
             "more than 1000 times as long"),
    Declared("long_expression", "an expression of twelve thousand characters", "sources/s.yml",
             source("measures: {m: {value: value}}", "measures: {m: {value: \"" + "1+" * 6_000 + "1\"}}"), "at most 10000 characters"),
    Declared("negative_seed", "a seed below zero", "indices/n.yml",
             "id: n\ntitle: x\nobjective: ZPO2-1\nlevel: lau\nuncertainty: {seed: -1}\ncomponents: [{indicator: i}]\n", "greater than or equal to 0"),
    Declared("alias_chain", "three thousand lists inside each other by their names", "pack.yml", aliases(3000), DEEP),
    Declared("alias_bomb", "lists of nine names each, which name lists of nine", "pack.yml", bomb(9), "too many values"),
    Declared("dense", "two million values in one list", "pack.yml", "[" + "1," * 2_000_000 + "1]", "too many values"),
    Declared("merge_key", "a merge key, which YAML 1.2 does not know", "pack.yml", HEAD + "<<: {weight: m}\n", "<<: unknown key"),
    Declared("python_object", "a tag that makes PyYAML call a function", "pack.yml",
             HEAD.replace("title: x", "title: !!python/object/apply:os.system {en: id}"), TAGS),
    Declared("python_name", "a tag that makes PyYAML import a name", "pack.yml", HEAD.replace("title: x", "title: !!python/name:os.system x"), TAGS),
    Declared("binary", "a text in base64", "pack.yml", HEAD.replace("title: x", "title: !!binary eA=="), TAGS),
    Declared("surrogate", "half of a character", "pack.yml", HEAD.replace("title: x", 'title: "\\uD800"'), "not YAML"),
    Declared("zero_byte", "a zero byte", "pack.yml", HEAD + "weight: a\0b\n", "not YAML"),
    Declared("utf16", "a file in UTF-16", "pack.yml", in_utf16, "cannot be read"),
    Declared("two_documents", "two documents in one file", "pack.yml", HEAD + "---\n" + HEAD, "another document"),
    Declared("long_key", "a key of a million characters", "pack.yml", HEAD + "? " + "k" * 1_000_000 + "\n: 1\n", "a key has at most 1000 characters"),
    Declared("long_text", "a title of a million characters", "pack.yml", HEAD.replace("title: x", "title: " + "x" * 1_000_000),
             "a text has at most 50000 characters"),
    Declared("many_faults", "thousands of unknown keys", "pack.yml", HEAD + "".join(f"k{i}: 1\n" for i in range(20_000)), "unknown key"),
    Declared("many_files", "thousands of sources", "pack.yml", many_sources(2_001), "sources has more than 2000 files"),
    Declared("declared_twice", "two files of one source", "sources/s.yml", beside("sources/s.yaml"), "s: is declared twice"),
    Declared("case_of_sources", "two sources whose names differ only in case", "sources/s.yml",
             beside("sources/S.yml", SOURCE.replace("id: s", "id: S").replace("{m: {", "{n: {")), "s: differs from S only in case"),
    Declared("case_of_levels", "two levels whose names differ only in case", "pack.yml", HEAD.replace("{id: lau}", "{id: lau}, {id: Lau}"),
             "Lau: differs from lau only in case"),
    Declared("column_name", "an indicator with the name of a key of the table of latest values", "indicators/i.yml",
             INDICATOR.replace("id: i\n", "id: Area_Key\n"), "latest_values has a column of this name"),
    Declared("device_name", "an indicator with the name of a device of Windows", "indicators/i.yml", INDICATOR.replace("id: i\n", "id: Con\n"),
             "Con: Windows has no files of this name"),
    Declared("option_name", "an indicator whose name looks like an option", "indicators/i.yml", INDICATOR.replace("id: i\n", "id: -rf\n"),
             "should match pattern"),
    Declared("path_name", "an indicator whose name is a path", "indicators/i.yml", INDICATOR.replace("id: i\n", "id: ..\n"), "should match pattern"),
    Declared("link_out", "a link to a declaration outside of the pack", "sources/s.yml", leading_out, "it leads out of the pack"),
    Declared("data_link_out", "a link to data outside of the pack", "sources/s.yml", data_leading_out, "data/a.csv: no such file in the pack"),
    Declared("encoded_path", "a path that leads out of the pack once it is decoded", "sources/s.yml",
             source("data/a.csv", "data/" + "%2e%2e/" * 12 + "etc/passwd"), "no such file in the pack"),
    Declared("path_of_parts", "a variable that leads out of the pack", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'data/{v}', parts: {v: ['" + "../" * 12 + "etc/passwd']}}"), "no such file in the pack"),
    Declared("lock_pipe", "a named pipe in place of pinned snapshots", "snapshots.lock", os.mkfifo, "not a file"),
    Declared("lock_many", "pinned snapshots as a list of a hundred million characters", "snapshots.lock", "[" + "[]," * 30_000_000 + "[]]",
             "more than 10000000 bytes"),
    Declared("lock_digest", "a pinned snapshot without a checksum", "snapshots.lock", pinned("../../etc/passwd"), "has no SHA-256"),
    Declared("lock_twice", "two pinned snapshots of one part", "snapshots.lock", pinned("a" * 64, "b" * 64), "two entries are for one part"),
    Declared("nested_pattern", "a pattern of five thousand groups inside each other", "sources/s.yml",
             source("{format: csv}", "{format: csv, unpivot: {pattern: '" + "(" * 5000 + ")" * 5000 + "'}}"), "too many groups inside each other"),
    Declared("large_repetition", "a pattern that repeats more often than numbers go", "sources/s.yml",
             source("{format: csv}", "{format: csv, unpivot: {pattern: 'a{4294967296}'}}"), "not a regular expression"),
    Declared("large_pattern", "a pattern that would need gigabytes", "sources/s.yml",
             source("code: {}", "code: {pattern: '((a{1000}){1000}){1000}'}"), "not a regular expression"),
    Declared("long_schedule", "a schedule of thousands of ranges", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'https://data.example.org/', cadence: '" + "1-59," * 5_000 + "1 * * * *'}"), "not a cron expression"),
    Declared("no_schedule", "a schedule without a day", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'https://data.example.org/', cadence: '0 0 30 2 *'}"), "not a cron expression"),
    Declared("rate", "a request every thirty years", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'https://data.example.org/', rate: 1.0e-9}"), "greater than or equal to 0.001"),
    Declared("header_line", "a header with a line of its own", "sources/s.yml",
             source("{url: data/a.csv}", '{url: "https://data.example.org/", headers: {X: "a\\nHost: b"}}'), "a header has a name of letters"),
    Declared("header_rows", "a header of a million million rows", "sources/s.yml",
             source("{format: csv}", "{format: csv, header_rows: 1000000000000}"), "less than or equal to 1000"),
    Declared("no_parts", "a variable without values: nothing would be fetched", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'data/{v}.csv', parts: {v: []}}"), "v: has no values"),
    Declared("one_name_of_parts", "two combinations of variables with one name", "sources/s.yml",
             source("{url: data/a.csv}", "{url: 'data/{v}{w}', parts: {v: ['1', '1,w=2'], w: ['2', '2,w=2']}}"), "two combinations have the name"),
    Declared("key_twice", "a key that lists a column twice", "sources/s.yml", SOURCE + "key: [code, code]\n", "code: is listed twice"),
    Declared("script_address", "a home page that is a script", "sources/s.yml", SOURCE + "homepage: 'javascript:alert(1)'\n",
             "expected an http or https address"),
    Declared("script_in_base", "a base address that ends an attribute of a page", "pack.yml",
             HEAD + "base_uri: 'https://data.example.org/\"><script>/'\n", "expected an address such as"),
    Declared("svg_logo", "an SVG with a script as logo", "pack.yml", logo(b"<svg><script>alert(1)</script></svg>"), "not a PNG file"),
    Declared("large_logo", "a logo of four thousand million pixels", "pack.yml",
             logo(PNG_HEAD + (65535).to_bytes(4, "big") * 2), "65535 x 65535 pixels"),
    Declared("language_twice", "a language in two cases", "pack.yml", HEAD + "languages: [en-GB, en-gb]\n", "a language is declared twice"),
    Declared("no_day", "a day that no calendar has", "indicators/i.yml", indicator("convergence: [['2021-02-31', '2022']]\n"), "expected a period"),
    Declared("many_terms", "a formula of ten thousand terms", "indicators/i.yml",
             INDICATOR.replace("[{measure: m}]", "[" + ", ".join(["{measure: m}"] * 10_000) + "]"), "at most 1000 items"),
    Declared("nested_functions", "two thousand functions inside each other", "sources/s.yml", expression("abs(" * 1900 + "1" + ")" * 1900),
             "expression depth limit"),
    Declared("joined_texts", "a text of a thousand characters before each of two thousand cells", "sources/s.yml",
             expression("length(concat_ws(rpad(code, 1000, 'x'), " + ", ".join(["code"] * 1_600) + "))"), "texts of more than 10000 characters"),
    Declared("format_of_column", "a format of dates that the file gives", "sources/s.yml", expression("length(strftime(date '2020-01-01', code))"),
             "expected a text in quotes as the format"),
    Declared("long_format", "a format of dates that makes a text thirty times as long", "sources/s.yml",
             expression("length(strftime(date '2020-01-01', '" + "%c" * 1_000 + "'))"), "texts of more than 10000 characters"),
]  # fmt: skip


COMMANDS = (("check",), ("preview", "s"), ("run",))


def main(folder: Path) -> None:
    """Print exit code and output of each command for each case, as a line of JSON; the packs are written into `folder`.

    `run` looks for files when it fetches them, so it would begin where only a file is wrong; `preview` shows what it does with them.
    """
    from pipelines.cli.app import main as zpo2

    for case in CASES:
        root = folder / case.id
        root.mkdir()
        case.write(root)
        for command in COMMANDS[: 2 if case.is_of_data else 3]:
            home = ["--home", str(folder / f"{case.id}-home")] if command != ("check",) else []
            sys.argv = ["zpo2", *command, "--pack", str(root), *home]
            output, exit_code = io.StringIO(), 0
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                try:
                    zpo2()
                except SystemExit as end:
                    exit_code = int(end.code or 0)
                except BaseException:
                    traceback.print_exc()
            print(json.dumps({"id": case.id, "command": command[0], "exit_code": exit_code, "output": output.getvalue()}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

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
map: {area: {scheme: cz, code: code}, period: "'2021'", measures: {m: {value: value}}}
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


DEEP = "lists and maps inside each other"
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
    Declared("long_expression", "an expression of a hundred thousand characters", "sources/s.yml",
             source("measures: {m: {value: value}}", "measures: {m: {value: \"" + "1+" * 50_000 + "1\"}}"), "at most 10000 characters"),
    Declared("negative_seed", "a seed below zero", "indices/n.yml",
             "id: n\ntitle: x\nobjective: ZPO2-1\nlevel: lau\nuncertainty: {seed: -1}\ncomponents: [{indicator: i}]\n", "greater than or equal to 0"),
]  # fmt: skip


def main(folder: Path) -> None:
    """Print exit code and output of `zpo2 check` for each case, as a line of JSON; the packs are written into `folder`."""
    from pipelines.cli.app import main as zpo2

    for case in CASES:
        root = folder / case.id
        root.mkdir()
        case.write(root)
        sys.argv = ["zpo2", "check", "--pack", str(root)]
        output, exit_code = io.StringIO(), None
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                zpo2()
            except SystemExit as end:
                exit_code = int(end.code or 0)
            except BaseException:
                traceback.print_exc()
        print(json.dumps({"id": case.id, "exit_code": exit_code, "output": output.getvalue()}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Texts of packs in the Markdown of a release are text: a reader's program shows them as they are written."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from exports.metadata.text import prose

HOSTILE = (
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "[here](javascript:alert(1))",
    "![x](https://x.invalid/x.png)",
    "[a][b]",
    "<https://x.invalid>",
    "`code` and ``more``",
    "*emphasis* **strong** _too_ __too__",
    "a | b | c",
    "\\<b\\> \\[x\\](y)",
    "&lt;b&gt; &#60;b&#62;",
    "first\n\n# second\n\n* third",
    "Robert'); drop table; --",
    "snake_case_stays 5 < 6 & 7",
)


def tokens(text: str, container: str) -> list[Token]:
    parsed = MarkdownIt("commonmark").enable("table").parse(container.format(text))
    return [token for outer in parsed for token in (outer, *(outer.children or ()))]


@pytest.mark.parametrize(
    "container", ["# {}", "* `id` {} (CC0-1.0)", "| `id` | x |\n| --- | --- |\n| `id` | {} |"], ids=["title", "list", "table"]
)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_a_pack_is_shown_as_it_is_written(text: str, container: str) -> None:
    shown, plain = tokens(prose(text), container), tokens("plain", container)
    kinds = [token.type for token in shown if token.type not in ("text", "text_special")]
    assert kinds == [token.type for token in plain if token.type != "text"]
    inline = next(token for token in reversed(shown) if token.type == "inline")
    assert " ".join(text.split()) in "".join(child.content for child in inline.children or ())

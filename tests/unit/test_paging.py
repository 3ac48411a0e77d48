"""Answers in pages: all of them or none, by number, offset, cursor and link; one snapshot, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from pipelines.packs.schema import Fetch
from tests.support.asking import ask, content
from tests.support.server import Asked, Reply, Server, serving

ROWS = [{"n": n} for n in range(1, 26)]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def reply(document: Any, **headers: str) -> Reply:
    return Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.query).items()}


def by_offset(asked: Asked) -> Reply:
    start, size = int(query(asked)["offset"]), min(int(query(asked)["limit"]), 10)  # the server caps the size
    return reply({"total": len(ROWS), "rows": ROWS[start : start + size]})


def by_page(asked: Asked) -> Reply:
    start = 10 * (int(query(asked)["page"]) - 1)
    return reply({"rows": ROWS[start : start + 10]})


def by_cursor(asked: Asked) -> Reply:
    start = int(json.loads(asked.body)["variables"]["after"] or 0)
    more = start + 10 < len(ROWS)
    info = {"endCursor": str(start + 10), "hasNextPage": more}
    return reply({"data": {"projects": {"nodes": ROWS[start : start + 10], "pageInfo": info}}})


def by_link(asked: Asked) -> Reply:
    start = int(query(asked).get("from", "0"))
    following = start + 10 < len(ROWS)
    return reply(ROWS[start : start + 10], **({"Link": f'</items?from={start + 10}>; rel="next"'} if following else {}))


def by_address(asked: Asked) -> Reply:
    start = int(query(asked).get("from", "0"))
    return reply({"rows": ROWS[start : start + 10], "links": {"next": f"/items?from={start + 10}" if start + 10 < len(ROWS) else None}})


GRAPHQL = {"query": "query($after: String) { projects(after: $after) { nodes { n } } }", "variables": {"after": None}}
KINDS: dict[str, tuple[Callable[[Asked], Reply], dict[str, Any], str]] = {
    "offset, total, capped size": (
        by_offset,
        {"paging": {"kind": "offset", "param": "offset", "size": 100, "size_param": "limit", "total": "/total"}},
        "/rows",
    ),
    "page": (by_page, {"paging": {"kind": "page", "param": "page"}}, "/rows"),
    "cursor of GraphQL": (
        by_cursor,
        {
            "body": GRAPHQL,
            "paging": {
                "kind": "cursor", "param": "/variables/after", "next": "/data/projects/pageInfo/endCursor",
                "more": "/data/projects/pageInfo/hasNextPage",
            },
        },
        "/data/projects/nodes",
    ),
    "link in a header": (by_link, {"paging": {"kind": "link"}}, ""),
    "link in the page": (by_address, {"paging": {"kind": "link", "next": "/links/next"}}, "/rows"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_all_pages_are_one_snapshot_the_same_every_time(server: Server, tmp_path: Path, kind: str) -> None:
    server.routes["/items"], declared, records = KINDS[kind]
    answers = [ask(tmp_path, {"url": server.url + "/items", **declared}, records=records) for _ in range(2)]
    pages = json.loads(content(tmp_path, answers[0]))
    assert len(pages) == 3
    found = []
    for page in pages:
        for step in records.split("/")[1:]:
            page = page[step]  # noqa: PLW2901
        found += page
    assert found == ROWS
    assert answers[0].snapshot == answers[1].snapshot


def test_pages_that_hold_fewer_records_than_announced_are_no_snapshot(server: Server, tmp_path: Path) -> None:
    server.routes["/items"] = lambda asked: reply({"total": 30, "rows": ROWS[int(query(asked)["offset"]) :][:10]})
    paging = {"kind": "offset", "param": "offset", "total": "/total"}
    answer = ask(tmp_path, {"url": server.url + "/items", "paging": paging}, records="/rows")
    assert "hold 25 records, 30 were announced" in (answer.error or "")


def test_an_interrupted_answer_leaves_nothing_and_starts_over(server: Server, tmp_path: Path) -> None:
    broken = True

    def answer(asked: Asked) -> Reply:
        return Reply(500) if broken and query(asked)["page"] == "2" else by_page(asked)

    server.routes["/items"] = answer
    declared = {"url": server.url + "/items", "paging": {"kind": "page", "param": "page"}}
    assert "answered 500" in (ask(tmp_path, declared, records="/rows").error or "")
    assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    broken = False
    assert len(json.loads(content(tmp_path, ask(tmp_path, declared, records="/rows")))) == 3


@pytest.mark.parametrize(
    ("page", "paging", "reason"),
    [
        (lambda asked: reply({"rows": ROWS}), {"kind": "page", "param": "page"}, "the same as the one before"),
        (lambda asked: reply({"rows": [asked.query], "next": "x"}), {"kind": "cursor", "param": "at", "next": "/next"}, "was there before"),
        (
            lambda asked: reply({"rows": ROWS, "next": "http://localhost/other"}),
            {"kind": "link", "next": "/next"},
            "the next page is on another host, localhost",
        ),
        (lambda asked: reply({"errors": [{"message": "no such field"}]}), {"kind": "page", "param": "page"}, "no such field"),
        (lambda asked: Reply(200, b"{"), {"kind": "page", "param": "page"}, "not JSON"),
        (lambda asked: Reply(200, b"[" * 100_000), {"kind": "page", "param": "page"}, "not JSON"),
    ],
    ids=["page repeats", "cursor repeats", "leads away", "failure with 200", "not JSON", "deep"],
)
def test_pages_that_do_not_end_or_lead_away_are_refused(
    server: Server, tmp_path: Path, page: Callable[[Asked], Reply], paging: dict[str, str], reason: str
) -> None:
    server.routes["/items"] = page
    assert reason in (ask(tmp_path, {"url": server.url + "/items", "paging": paging}, records="/rows").error or "")


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"paging": {"kind": "page"}}, "needs param"),
        ({"paging": {"kind": "cursor", "param": "at"}}, "needs next"),
        ({"paging": {"kind": "page", "param": "page", "size": 10}}, "size and size_param go together"),
        ({"paging": {"kind": "link"}, "protocol": "ckan"}, "paging is for protocol file"),
        ({"resource": "csv"}, "resource is for protocol"),
        ({"split": {"geo": ["CZ"]}}, "split is for protocol eurostat"),
        ({"url": "data.json", "paging": {"kind": "link"}}, "addresses, not for paths"),
    ],
)
def test_declarations_that_cannot_work_are_refused(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Fetch.model_validate({"url": "https://data.example.org/items", **declared})

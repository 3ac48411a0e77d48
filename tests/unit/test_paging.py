"""Paging by number, offset, cursor and link: all pages become one snapshot, with the same bytes every time, or none does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from pipelines.packs.schema import Fetch
from tests.support.fetching import content, fetch
from tests.support.server import HttpRequest, Reply, Server, serving

ROWS = [{"n": n} for n in range(1, 26)]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def reply(document: Any, **headers: str) -> Reply:
    return Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def query(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.query).items()}


def by_offset(request: HttpRequest) -> Reply:
    start, size = int(query(request)["offset"]), min(int(query(request)["limit"]), 10)  # the server limits the size
    return reply({"total": len(ROWS), "rows": ROWS[start : start + size]})


def by_page(request: HttpRequest) -> Reply:
    start = 10 * (int(query(request)["page"]) - 1)
    return reply({"rows": ROWS[start : start + 10]})


def by_cursor(request: HttpRequest) -> Reply:
    start = int(json.loads(request.body)["variables"]["after"] or 0)
    more = start + 10 < len(ROWS)
    info = {"endCursor": str(start + 10), "hasNextPage": more}
    return reply({"data": {"projects": {"nodes": ROWS[start : start + 10], "pageInfo": info}}})


def by_link(request: HttpRequest) -> Reply:
    start = int(query(request).get("from", "0"))
    following = start + 10 < len(ROWS)
    return reply(ROWS[start : start + 10], **({"Link": f'</items?from={start + 10}>; rel="next"'} if following else {}))


def by_address(request: HttpRequest) -> Reply:
    start = int(query(request).get("from", "0"))
    return reply({"rows": ROWS[start : start + 10], "links": {"next": f"/items?from={start + 10}" if start + 10 < len(ROWS) else None}})


GRAPHQL = {"query": "query($after: String) { projects(after: $after) { nodes { n } } }", "variables": {"after": None}}
KINDS: dict[str, tuple[Callable[[HttpRequest], Reply], dict[str, Any], str]] = {
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


class TestFetchPages:
    @pytest.mark.parametrize("kind", KINDS)
    def test_joins_all_pages_into_the_same_snapshot(self, server: Server, tmp_path: Path, kind: str) -> None:
        server.routes["/items"], declared, records = KINDS[kind]
        results = [fetch(tmp_path, {"url": server.url + "/items", **declared}, records=records) for _ in range(2)]
        pages = json.loads(content(tmp_path, results[0]))
        assert len(pages) == 3
        rows = []
        for page in pages:
            for step in records.split("/")[1:]:
                page = page[step]  # noqa: PLW2901
            rows += page
        assert rows == ROWS
        assert results[0].snapshot == results[1].snapshot

    def test_fails_with_fewer_records_than_announced(self, server: Server, tmp_path: Path) -> None:
        server.routes["/items"] = lambda request: reply({"total": 30, "rows": ROWS[int(query(request)["offset"]) :][:10]})
        paging = {"kind": "offset", "param": "offset", "total": "/total"}
        result = fetch(tmp_path, {"url": server.url + "/items", "paging": paging}, records="/rows")
        assert "hold 25 records, but the server announced 30" in (result.error or "")

    def test_starts_over_after_an_interruption(self, server: Server, tmp_path: Path) -> None:
        broken = True

        def reply_or_fail(request: HttpRequest) -> Reply:
            return Reply(500) if broken and query(request)["page"] == "2" else by_page(request)

        server.routes["/items"] = reply_or_fail
        declared = {"url": server.url + "/items", "paging": {"kind": "page", "param": "page"}}
        assert "answered 500" in (fetch(tmp_path, declared, records="/rows").error or "")
        assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
        broken = False
        assert len(json.loads(content(tmp_path, fetch(tmp_path, declared, records="/rows")))) == 3

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1/items", "https://127.0.0.1/items", "https://127.0.0.1:443/items", "//127.0.0.1/items"]
    )
    def test_follows_links_with_another_scheme_or_without_port(self, server: Server, tmp_path: Path, address: str) -> None:
        def page(request: HttpRequest) -> Reply:
            start = int(query(request).get("from", "0"))
            following = f"{address}?from={start + 10}" if start + 10 < len(ROWS) else None
            return reply({"rows": ROWS[start : start + 10], "next": following})

        server.routes["/items"] = page
        result = fetch(tmp_path, {"url": server.url + "/items", "paging": {"kind": "link", "next": "/next"}}, records="/rows")
        assert [row for page in json.loads(content(tmp_path, result)) for row in page["rows"]] == ROWS

    @pytest.mark.parametrize(
        ("page", "paging", "reason"),
        [
            (lambda request: reply({"rows": ROWS}), {"kind": "page", "param": "page"}, "the same records as the page before"),
            (
                lambda request: reply({"rows": [request.query], "next": "x"}),
                {"kind": "cursor", "param": "at", "next": "/next"},
                "was already fetched",
            ),
            (
                lambda request: reply({"rows": ROWS, "next": "http://localhost/other"}),
                {"kind": "link", "next": "/next"},
                "the next page is on another host, http://localhost",
            ),
            (
                lambda request: reply({"rows": ROWS, "next": "http://127.0.0.1:9/other"}),
                {"kind": "link", "next": "/next"},
                "the next page is on another port of the host, http://127.0.0.1:9",
            ),
            (lambda request: reply({"errors": [{"message": "no such field"}]}), {"kind": "page", "param": "page"}, "no such field"),
            (lambda request: Reply(200, b"{"), {"kind": "page", "param": "page"}, "not JSON"),
            (lambda request: Reply(200, b"[" * 100_000), {"kind": "page", "param": "page"}, "not JSON"),
        ],
        ids=["page repeats", "cursor repeats", "leads away", "other port", "failure with 200", "not JSON", "deep"],
    )
    def test_fails_where_pages_repeat_or_lead_away(
        self, server: Server, tmp_path: Path, page: Callable[[HttpRequest], Reply], paging: dict[str, str], reason: str
    ) -> None:
        server.routes["/items"] = page
        assert reason in (fetch(tmp_path, {"url": server.url + "/items", "paging": paging}, records="/rows").error or "")


class TestFetch:
    @pytest.mark.parametrize(
        ("declared", "reason"),
        [
            ({"paging": {"kind": "page"}}, "needs param"),
            ({"paging": {"kind": "cursor", "param": "at"}}, "needs next"),
            ({"paging": {"kind": "page", "param": "page", "size": 10}}, "size and size_param go together"),
            ({"paging": {"kind": "link"}, "protocol": "ckan"}, "paging is for protocol file"),
            ({"resource": "csv"}, "resource is for protocol"),
            ({"split": {"geo": ["CZ"]}}, "split is for protocol eurostat"),
            ({"url": "data.json", "paging": {"kind": "link"}}, r"are for http\(s\) addresses, not for paths"),
        ],
    )
    def test_refuses_declarations_that_cannot_work(self, declared: dict[str, Any], reason: str) -> None:
        with pytest.raises(ValidationError, match=reason):
            Fetch.model_validate({"url": "https://data.example.org/items", **declared})


def shifting(request: HttpRequest) -> Reply:
    """Between the first and the second page, somebody adds a record at the beginning and removes the last one."""
    start = int(query(request)["offset"])
    rows = [*ROWS[:20]] if start == 0 else [ROWS[24], *ROWS[:19]]
    return reply({"total": 20, "rows": rows[start : start + 10]})


def reordered(request: HttpRequest) -> Reply:
    """Each request gets the rows in another order."""
    start = int(query(request)["offset"])
    rows = [*ROWS[:20]] if start == 0 else [*ROWS[15:20], *ROWS[:15]]
    return reply({"total": 20, "rows": rows[start : start + 10]})


def last_page_again(request: HttpRequest) -> Reply:
    """After the last page, the server gives it again, under the number that was requested."""
    page = min(int(query(request)["page"]), 2)
    return reply({"page": query(request)["page"], "rows": ROWS[10 * page - 10 : 10 * page]})


def microdata(request: HttpRequest) -> Reply:
    start = int(query(request)["offset"])
    return reply({"total": 20, "rows": [{"sex": "M" if n % 3 else "F"} for n in range(start, start + 10)]})


OFFSET = {"kind": "offset", "param": "offset", "total": "/total"}
PAGE = {"kind": "page", "param": "page"}


class TestOverlappingPages:
    @pytest.mark.parametrize(("route", "count"), [(shifting, 1), (reordered, 5)], ids=["shifting", "reordered"])
    def test_refuse_the_response(self, server: Server, tmp_path: Path, route: Callable[[HttpRequest], Reply], count: int) -> None:
        server.routes["/items"] = route
        declared = {"url": f"{server.url}/items", "paging": OFFSET}
        error = fetch(tmp_path, declared, records="/rows").error or ""
        assert f"page 2 has {count} records that an earlier page has, too; the pages shifted" in error
        accepting = {**declared, "paging": {**OFFSET, "repeated_records": "accept"}}
        assert fetch(tmp_path, accepting, records="/rows").error is None

    def test_are_no_fault_where_equal_records_stand_on_one_page(self, server: Server, tmp_path: Path) -> None:
        server.routes["/items"] = microdata
        assert fetch(tmp_path, {"url": f"{server.url}/items", "paging": OFFSET}, records="/rows").error is None

    def test_end_the_pages_where_that_is_declared(self, server: Server, tmp_path: Path) -> None:
        server.routes["/items"] = last_page_again
        url = f"{server.url}/items"
        error = fetch(tmp_path, {"url": url, "paging": PAGE}, records="/rows").error or ""
        assert "page 3 has the same records as the page before" in error
        result = fetch(tmp_path, {"url": url, "paging": {**PAGE, "repeated_page": "end"}}, records="/rows")
        assert [row["n"] for page in json.loads(content(tmp_path, result)) for row in page["rows"]] == list(range(1, 21))

"""One source that fails in an unexpected way beside one that is fine: at every step from the poll to the lake, only the bad one fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.request import Request, address
from pipelines.extract.snapshots import Archive
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport, conflicts
from pipelines.lake.ingest.context import Context
from pipelines.packs.schema import Fetch, FetchedSource
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.fetching import QUICK
from tests.support.server import Reply, Server, serving

CSV = {"Content-Type": "text/csv"}
LINK = {"kind": "link", "next": "/next", "records": "/rows"}
TOTAL = {"kind": "page", "param": "page", "total": "/total", "records": "/rows"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def page(text: str, **headers: str) -> Reply:
    return Reply(200, text.encode(), {"Content-Type": "application/json", **headers})


def rows(**more: Any) -> str:
    return json.dumps({"rows": [{"n": 1}], **more})


PACKAGE = json.dumps({"success": True, "result": {"resources": [{"id": "r", "url": "http://["}]}})
HUB = json.dumps({"dataset": [{"identifier": "A", "distribution": [{"format": "CSV", "downloadURL": "http://["}]}]})
ANSWERS: dict[str, tuple[dict[str, Any], Reply, str]] = {
    "next link is no address": ({"paging": LINK}, page(rows(next="http://[")), "invalid address"),
    "next link is no IPv6 address": ({"paging": LINK}, page(rows(next="http://[zz]/")), "invalid address"),
    "next link with a port that is none": ({"paging": LINK}, page(rows(next="http://127.0.0.1:x/")), "invalid address"),
    "next link is a list": ({"paging": LINK}, page(rows(next=["//["])), "invalid address"),
    "Link header is no address": (
        {"paging": {"kind": "link", "records": "/rows"}}, page(rows(), Link='<http://[>; rel="next"'), "invalid address",
    ),
    "total is infinite": ({"paging": TOTAL}, page(rows(total=float("inf"))), "announces inf records"),
    "total is no number": ({"paging": TOTAL}, page(rows(total=float("nan"))), "announces nan records"),
    "total has 5000 digits": ({"paging": TOTAL}, page(rows(total="9" * 5000)), "expected a whole number"),
    "total is an object": ({"paging": TOTAL}, page(rows(total={"value": 1})), "expected a whole number"),
    "CKAN file has no address": ({"protocol": "ckan", "resource": "r"}, page(PACKAGE), "invalid address"),
    "fields of an ArcGIS layer are a number": ({"protocol": "arcgis"}, page('{"fields": 1}'), "no list of records"),
    "Hub file has no address": ({"protocol": "arcgis", "dataset": "A"}, page(HUB), "invalid address"),
}  # fmt: skip


class TestFetch:
    @pytest.mark.parametrize("answer", ANSWERS)
    def test_keeps_a_strange_answer_with_its_source(self, server: Server, tmp_path: Path, answer: str) -> None:
        declared, response, reason = ANSWERS[answer]
        path = "/FeatureServer/0" if answer.startswith("fields") else "/bad"
        server.routes = {path: lambda _: response, f"{path}/query": lambda _: response, "/good": lambda _: Reply(200, b"a\n1\n", CSV)}
        pack = packs.load(five_places.write(tmp_path / "pack"))
        base = pack.sources["areas"]
        bad = base.model_copy(update={"id": "bad", "fetch": Fetch.model_validate({"url": server.url + path, **declared})})
        good = base.model_copy(update={"id": "good", "fetch": Fetch(url=f"{server.url}/good")})
        requests = [Request(s, p, address(s, p)) for s in (bad, good) for p in pack.parts(s)]
        settings = Settings(allow_hosts="127.0.0.1")
        results = {r.request.source.id: r for r in fetch_all(pack, requests, Archive(tmp_path / "archive"), settings, limits=QUICK)}
        assert results["good"].snapshot is not None
        assert results["bad"].snapshot is None
        assert reason in (results["bad"].error or "")
        assert "\n" not in (results["bad"].error or "")

    def test_keeps_a_declared_address_that_is_none_with_its_source(self, tmp_path: Path) -> None:
        pack = packs.load(five_places.write(tmp_path / "pack"))
        base = pack.sources["areas"]
        bad = base.model_copy(update={"id": "bad", "fetch": Fetch(url="http://[")})
        requests = [Request(s, p, address(s, p)) for s in (bad, base) for p in pack.parts(s)]
        bad_result, good_result = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings())
        assert bad_result.error == "http://[: not an address: Invalid IPv6 URL"
        assert good_result.snapshot is not None


def ingest(folder: Path, **changes: str) -> dict[str, SourceReport]:
    """Fetch and process the five places with `changes`; return the reports."""
    pack = packs.load(five_places.write(folder / "pack", **changes))
    workspace = Workspace(WorkspaceFolder(folder / "home").root, Settings(), pack=pack)
    fetch_sources(workspace)
    return Ingest(workspace).run()


OTHER = five_places.PEOPLE.replace("id: people", "id: other").replace("population: persons", "others: persons")
COUNT = 'id: {0}\nfrom: register\nmeasures: {{{0}: count(*)}}\nuniverse: "{1}"\n'
REGISTER = """\
id: clubs
title: Clubs
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/clubs.csv}
read: {format: csv}
columns: {code: {required: true}}
into: register
map: {register: "'clubs'", id: code, area: {ref_area: code}, valid_from: "date '2020-01-01'"}
"""


class TestIngest:
    def test_keeps_a_universe_that_fails_with_its_source(self, tmp_path: Path) -> None:
        reports = ingest(tmp_path, sources__other_yml=OTHER + "universe: cast(name as integer) > 3\n")
        assert reports["other"].down
        assert "Conversion Error" in reports["other"].errors["year=2021"]
        assert (reports["people"].accepted, reports["people"].errors) == (20, {})

    def test_keeps_a_count_that_fails_with_itself(self, tmp_path: Path) -> None:
        counts = {
            f"sources__{name}_yml": COUNT.format(name, text) for name, text in (("good", "all"), ("bad", "cast(name as integer) > 3"))
        }
        reports = ingest(tmp_path, sources__clubs_yml=REGISTER, data__clubs_csv="code\na1\na2\n", **counts)
        assert reports["bad"].down
        assert "Conversion Error" in reports["bad"].errors[""]
        assert (reports["good"].accepted, reports["good"].errors) == (2, {})

    def test_keeps_an_error_that_nobody_thought_of_with_its_source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        resolve = conflicts.resolve_conflicts

        def failing(context: Context, source: FetchedSource, report: SourceReport) -> None:
            if source.id == "other":
                raise RuntimeError("a fault\nin the program")
            resolve(context, source, report)

        monkeypatch.setattr(conflicts, "resolve_conflicts", failing)
        reports = ingest(tmp_path, sources__other_yml=OTHER)
        assert reports["other"].down
        assert reports["other"].errors["year=2020"] == "the rows cannot be processed: RuntimeError: a fault in the program"
        assert (reports["people"].accepted, reports["people"].errors) == (20, {})

    def test_ends_where_the_machine_lacks_something(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def without_memory(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(conflicts, "resolve_conflicts", without_memory)
        with pytest.raises(MemoryError):
            ingest(tmp_path)

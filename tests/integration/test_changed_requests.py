"""A source whose declaration asks for something else: the bytes that answered the earlier request are not used for the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.backlog import drain
from pipelines.extract.polling import sources_with_another_request
from pipelines.extract.source_state import SourceStates, unprocessed_sources
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.store import Lake
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.server import HttpRequest, Reply, Server, serving

VALUES = {"2022": 22, "2023": 23}
STAMP = {"ETag": '"same"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        routes(server)
        yield server


def table(year: str) -> Reply:
    return Reply(200, f"code,persons\na1,{VALUES[year]}\n".encode(), {"Content-Type": "text/csv"})


def document(content: Any) -> Reply:
    return Reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"})


def conditional(request: HttpRequest, year: str) -> Reply:
    """Answer 304 to every conditional request, as servers do that know only when the table changed."""
    if "if-modified-since" in request.headers or "if-none-match" in request.headers:
        return Reply(304)
    reply = table(year)
    return Reply(200, reply.body, {**reply.headers, **STAMP})


def layer(request: HttpRequest) -> Reply:
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    if not request.path.endswith("/query"):
        return document({"objectIdField": "id", "maxRecordCount": 10, "editingInfo": {"lastEditDate": 1}})
    if "returnCountOnly" in query:
        return document({"count": 1})
    return document({"features": [{"attributes": {"code": "a1", "persons": VALUES[query["where"][-4:]]}}]})


def routes(server: Server) -> None:
    resources = [{"id": f"r{year}", "url": f"/{year}.csv", "last_modified": "2026-01-01"} for year in VALUES]
    sets = [
        {"identifier": f"d{year}", "modified": "2026-01-01", "distribution": [{"format": "CSV", "downloadURL": f"/{year}.csv"}]}
        for year in VALUES
    ]
    for year in VALUES:
        server.routes[f"/{year}.csv"] = lambda _, year=year: table(year)  # type: ignore[misc]
        server.routes[f"/address/{year}"] = lambda request, year=year: conditional(request, year)  # type: ignore[misc]
    server.routes["/params"] = lambda request: conditional(request, parse_qs(request.query)["year"][0])
    server.routes["/body"] = lambda request: conditional(request, json.loads(request.body)["year"])
    server.routes["/package"] = lambda _: document({"success": True, "result": {"resources": resources}})
    server.routes["/hub"] = lambda _: document({"dataset": sets})
    server.routes["/FeatureServer/0"] = server.routes["/FeatureServer/0/query"] = layer


REQUESTS = {
    "address": "{{url: '{url}/address/{year}'}}",
    "parameters": "{{url: '{url}/params', params: {{year: '{year}'}}}}",
    "body": "{{url: '{url}/body', body: {{year: '{year}'}}}}",
    "resource": "{{url: '{url}/package', protocol: ckan, resource: r{year}}}",
    "data set": "{{url: '{url}/hub', protocol: arcgis, dataset: d{year}}}",
    "condition": "{{url: '{url}/FeatureServer/0', protocol: arcgis, params: {{where: 'year = {year}'}}}}",
}


class Place:
    """The five places, with the people of one year from a server."""

    def __init__(self, folder: Path, server: Server, declared: str) -> None:
        self.folder, self.server, self.declared = folder, server, declared

    def workspace(self, year: str) -> Workspace:
        """Return the workspace with the pack as it asks for `year`."""
        declared = REQUESTS[self.declared].format(url=self.server.url, year=year)
        head, _, rest = five_places.PEOPLE.partition("fetch:")
        read = "{format: json, records: /features}" if self.declared == "condition" else "{format: csv}"
        people = f"{head}fetch: {declared}\nread: {read}\n" + "columns:" + rest.partition("columns:")[2]
        for removed in ("  year: {type: integer, required: true}\n", "  sex: {values: [M, F]}\n", "  sex: sex\n"):
            people = people.replace(removed, "")
        if self.declared == "condition":
            people = people.replace("code: {required: true}", "code: {from: attributes/code, required: true}")
            people = people.replace("persons: {type", "persons: {from: attributes/persons, type")
        people = people.replace("period: year", "period: \"'2022'\"")
        pack = packs.load(five_places.write(self.folder / "pack", sources__people_yml=people))
        workspace = Workspace(self.folder / "home", Settings(allow_hosts="127.0.0.1"), pack=pack)
        workspace.open()
        return workspace

    def run(self, year: str) -> SourceReport:
        workspace = self.workspace(year)
        fetch_sources(workspace, ["areas", "people"])
        return Ingest(workspace).run()["people"]

    def value(self, report: SourceReport) -> float:
        lake = Lake(self.folder / "home" / "lake")
        [value] = lake.read_all(report.files("observations"), "observations").drop_nulls("measure")["obs_value"]
        assert isinstance(value, float)
        return value


class TestRequest:
    @pytest.mark.parametrize("declared", REQUESTS)
    def test_that_has_changed_gets_its_own_answer(self, server: Server, tmp_path: Path, declared: str) -> None:
        place = Place(tmp_path, server, declared)
        assert place.value(place.run("2022")) == 22
        assert place.value(place.run("2022")) == 22
        assert place.value(place.run("2023")) == 23
        assert place.value(place.run("2022")) == 22

    def test_is_not_answered_with_old_bytes_while_the_server_is_down(self, server: Server, tmp_path: Path) -> None:
        place = Place(tmp_path, server, "parameters")
        place.run("2022")
        server.routes["/params"] = lambda _: Reply(404)
        report = place.run("2023")
        assert (report.down, report.parts) == (True, {})
        assert "the declared request has changed, and nothing has answered it yet: " in report.errors[""]
        workspace = place.workspace("2023")
        states = SourceStates(workspace.fetch_state)
        assert unprocessed_sources(workspace.pack, states) == {}
        assert sources_with_another_request(workspace.pack, states) == {"people"}
        back = place.run("2022")  # its own snapshot is still there
        assert place.value(back) == 22
        assert back.stale_since is not None

    def test_is_answered_by_a_dropped_file(self, server: Server, tmp_path: Path) -> None:
        place = Place(tmp_path, server, "address")
        place.run("2022")
        server.routes["/address/2023"] = lambda _: Reply(404)
        workspace = place.workspace("2023")
        file = workspace.inbox / "people" / "people.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        for persons in (22, 24):  # the first has the bytes that answered the earlier request
            file.write_text(f"code,persons\na1,{persons}\n")
            os.utime(file, (1, 1))
            [result] = drain(workspace)
            assert result.error is None
            report = Ingest(workspace).run()["people"]
            assert (report.errors, place.value(report)) == ({}, persons)
        assert sources_with_another_request(workspace.pack, SourceStates(workspace.fetch_state)) == set()
        server.routes["/address/2023"] = lambda request: conditional(request, "2023")
        assert place.value(place.run("2023")) == 23
        assert not any("if-none-match" in headers for path, headers in server.requests if path == "/address/2023")

    def test_is_not_answered_with_old_bytes_where_the_new_answer_is_refused(self, server: Server, tmp_path: Path) -> None:
        place = Place(tmp_path, server, "address")
        place.run("2022")
        server.routes["/address/2023"] = lambda _: Reply(200, b"code,inhabitants\na1,23\n", {"Content-Type": "text/csv"})
        report = place.run("2023")
        assert (report.down, report.parts) == (True, {})

    def test_that_has_not_changed_is_asked_conditionally(self, server: Server, tmp_path: Path) -> None:
        place = Place(tmp_path, server, "parameters")
        place.run("2022")
        place.run("2022")
        assert [("if-none-match" in headers) for path, headers in server.requests if path.startswith("/params")] == [False, True]
        assert sources_with_another_request(place.workspace("2022").pack, SourceStates(place.workspace("2022").fetch_state)) == set()

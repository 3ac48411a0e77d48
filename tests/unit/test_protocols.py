"""CKAN, ArcGIS, the Czech Statistical Office and Eurostat in their documented shapes: what is requested, accepted and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipelines.extract.http.request import FetchResult, LastFetch
from tests.support.command import SHARED
from tests.support.fetching import content, fetch
from tests.support.server import HttpRequest, Reply, Server, serving

CSV = b"code,value\n1,2\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def reply(document: Any) -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), {"Content-Type": "application/json"})


def query(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.query).items()}


def last_fetch(result: FetchResult) -> LastFetch:
    """Return what the next fetch knows of this one."""
    assert result.snapshot is not None, result.error
    return LastFetch(result.snapshot.sha256, result.snapshot.bytes, result.headers)


def package(server: Server, **resource: str) -> Reply:
    resources = [
        {"id": "a1", "name": "Table", "format": "CSV", "url": f"{server.url}/table.csv", "last_modified": "2024-01-01", **resource},
        {"id": "b2", "name": "Notes", "format": "PDF", "url": f"{server.url}/notes.pdf"},
    ]
    return reply({"success": True, "result": {"id": "x", "metadata_modified": "2024-02-02", "resources": resources}})


class TestCkan:
    @pytest.mark.parametrize("resource", ["csv", "Table", "a1"])
    def test_downloads_the_named_resource(self, server: Server, tmp_path: Path, resource: str) -> None:
        server.routes["/api/3/action/package_show"] = lambda request: package(server)
        server.replies["/table.csv"] = [Reply(200, CSV)]
        url = f"{server.url}/api/3/action/package_show?id=x"
        result = fetch(tmp_path, {"url": url, "protocol": "ckan", "resource": resource})
        assert content(tmp_path, result) == CSV
        assert result.snapshot is not None
        assert (result.snapshot.url, result.snapshot.final_url) == (url, f"{server.url}/table.csv")

    def test_downloads_again_only_after_a_change(self, server: Server, tmp_path: Path) -> None:
        changed = "2024-01-01"
        server.routes["/api/3/action/package_show"] = lambda request: package(server, last_modified=changed)
        server.replies["/table.csv"] = [Reply(200, CSV), Reply(200, CSV + b"3,4\n")]
        declared = {"url": f"{server.url}/api/3/action/package_show?id=x", "protocol": "ckan", "resource": "csv"}
        first = fetch(tmp_path, declared)
        same = fetch(tmp_path, declared, last_fetch(first))
        assert same.snapshot == first.snapshot
        assert [path for path, _ in server.requests].count("/table.csv") == 1
        changed = "2024-03-03"
        assert content(tmp_path, fetch(tmp_path, declared, last_fetch(same))).endswith(b"3,4\n")

    @pytest.mark.parametrize(
        ("document", "resource", "reason"),
        [
            ({"success": False, "error": {"__type": "Not Found", "message": "Not found"}}, "csv", "CKAN reports: Not found"),
            ({"success": True, "result": {"resources": []}}, "csv", "csv is missing"),
            ({"success": True, "result": {"resources": [{"id": "1"}, {"id": "2"}]}}, None, "name one as `resource`; available: 1, 2"),
            ({"success": True, "result": {"resources": [{"id": "1", "url": "file:///etc/passwd"}]}}, None, "expected http or https"),
            ({"success": True, "result": {"resources": [{"id": "1"}]}}, None, "has no address"),
        ],
    )
    def test_reports_a_missing_file(self, server: Server, tmp_path: Path, document: Any, resource: str | None, reason: str) -> None:
        server.routes["/api/3/action/package_show"] = lambda request: reply(document)
        declared = {
            "url": f"{server.url}/api/3/action/package_show?id=x",
            "protocol": "ckan",
            **({"resource": resource} if resource else {}),
        }
        assert reason in (fetch(tmp_path, declared).error or "")

    def test_fetches_all_pages_of_a_datastore(self, server: Server, tmp_path: Path) -> None:
        rows = [{"_id": n} for n in range(7)]

        def search(request: HttpRequest) -> Reply:
            start, limit = int(query(request)["offset"]), int(query(request)["limit"])
            return reply({"success": True, "result": {"total": 7, "records": rows[start : start + limit]}})

        server.routes["/api/3/action/datastore_search"] = search
        declared = {"url": f"{server.url}/api/3/action/datastore_search?resource_id=a1", "params": {"limit": "3"}, "protocol": "ckan"}
        pages = json.loads(content(tmp_path, fetch(tmp_path, declared)))
        assert [record for page in pages for record in page["result"]["records"]] == rows
        assert len(pages) == 3


class Layer:
    """A layer of a FeatureServer with `count` features, at most two of them in a response."""

    def __init__(self, server: Server, count: int = 5, announced: int | None = None) -> None:
        self.features = [{"attributes": {"OBJECTID": n}} for n in range(count)]
        self.announced = announced if announced is not None else count
        self.edited = 1700000000000
        server.routes["/FeatureServer/0"] = lambda request: reply(
            {"objectIdField": "OBJECTID", "maxRecordCount": 2, "editingInfo": {"lastEditDate": self.edited}}
        )
        server.routes["/FeatureServer/0/query"] = self.query

    def query(self, request: HttpRequest) -> Reply:
        given = query(request)
        assert given["where"] == "1=1"
        if given.get("returnCountOnly"):
            return reply({"count": self.announced})
        assert given["orderByFields"] == "OBJECTID"
        start, size = int(given["resultOffset"]), int(given["resultRecordCount"])
        page = self.features[start : start + size]
        return reply({"features": page, **({"exceededTransferLimit": True} if start + size < len(self.features) else {})})


class TestArcgis:
    def test_fetches_a_layer_again_only_after_an_edit(self, server: Server, tmp_path: Path) -> None:
        layer = Layer(server)
        declared = {"url": f"{server.url}/FeatureServer/0", "protocol": "arcgis"}
        first = fetch(tmp_path, declared)
        assert [f for page in json.loads(content(tmp_path, first)) for f in page["features"]] == layer.features
        count = len(server.requests)
        assert fetch(tmp_path, declared, last_fetch(first)).snapshot == first.snapshot
        assert len(server.requests) == count + 1
        layer.edited += 1
        layer.features.append({"attributes": {"OBJECTID": 99}})
        layer.announced += 1
        assert b"99" in content(tmp_path, fetch(tmp_path, declared, last_fetch(first)))

    def test_fails_with_fewer_features_than_counted(self, server: Server, tmp_path: Path) -> None:
        Layer(server, count=5, announced=6)
        result = fetch(tmp_path, {"url": f"{server.url}/FeatureServer/0", "protocol": "arcgis"})
        assert "hold 5 records, but the server announced 6" in (result.error or "")

    def test_reports_failures_with_status_200(self, server: Server, tmp_path: Path) -> None:
        server.routes["/FeatureServer/0"] = lambda request: reply({"error": {"code": 499, "message": "Token Required"}})
        result = fetch(tmp_path, {"url": f"{server.url}/FeatureServer/0", "protocol": "arcgis"})
        assert "ArcGIS reports: 499 Token Required" in (result.error or "")

    def test_downloads_the_file_of_a_dataset_in_a_feed(self, server: Server, tmp_path: Path) -> None:
        files = [
            {"title": "ArcGIS Hub Dataset", "format": "Web Page", "accessURL": f"{server.url}/page"},
            {"title": "CSV", "format": "CSV", "mediaType": "text/csv", "accessURL": f"{server.url}/table.csv"},
        ]
        item = {"identifier": "https://www.arcgis.com/item.html?id=77", "title": "Trees", "modified": "2025-04-12", "distribution": files}
        server.routes["/api/feed/dcat-us/1.1.json"] = lambda request: reply({"dataset": [{"title": "{{description}}"}, item]})
        server.replies["/table.csv"] = [Reply(200, CSV)]
        declared = {"url": f"{server.url}/api/feed/dcat-us/1.1.json", "protocol": "arcgis", "dataset": "Trees", "resource": "CSV"}
        first = fetch(tmp_path, declared)
        assert content(tmp_path, first) == CSV
        assert fetch(tmp_path, declared, last_fetch(first)).snapshot == first.snapshot
        assert [path for path, _ in server.requests].count("/table.csv") == 1
        assert "Flowers is missing" in (fetch(tmp_path, {**declared, "dataset": "Flowers"}).error or "")

    def test_reads_a_recorded_feed(self, server: Server, tmp_path: Path) -> None:
        feeds = sorted((SHARED / "data").glob("*/**/krhk_arcgis_hub/**/*.json")) if SHARED.is_dir() else []
        if not feeds:
            pytest.skip(f"{SHARED} has no recorded feed")
        document = json.loads(feeds[-1].read_bytes())
        item = next(i for i in document["dataset"] if any(f.get("format") == "CSV" for f in i.get("distribution", [])))
        target = next(f for f in item["distribution"] if f.get("format") == "CSV")
        for name in ("accessURL", "downloadURL"):
            target[name] = f"{server.url}/table.csv"
        server.routes["/feed"] = lambda request: reply(document)
        server.replies["/table.csv"] = [Reply(200, CSV)]
        declared = {"url": f"{server.url}/feed", "protocol": "arcgis", "dataset": item["identifier"], "resource": "csv"}
        assert content(tmp_path, fetch(tmp_path, declared)) == CSV


class TestCzso:
    def test_downloads_the_file_of_a_dataset(self, server: Server, tmp_path: Path) -> None:
        files = [
            {
                "název": {"cs": "Schema"},
                "formát": "http://publications.europa.eu/resource/authority/file-type/JSON",
                "přístupové_url": "/s.json",
            },
            {
                "název": {"cs": "Data"},
                "formát": "http://publications.europa.eu/resource/authority/file-type/CSV",
                "přístupové_url": "/table.csv",
            },
        ]
        server.routes["/pll/eweb/lkod_ld.datova_sada"] = lambda request: reply({"typ": "Datová sada", "distribuce": files})
        server.replies["/table.csv"] = [Reply(200, CSV)]
        declared = {"url": f"{server.url}/pll/eweb/lkod_ld.datova_sada?id=130141", "protocol": "czso", "resource": "csv"}
        assert content(tmp_path, fetch(tmp_path, declared)) == CSV

    def test_downloads_a_selection_of_datastat(self, server: Server, tmp_path: Path) -> None:
        cube = {"version": "2.0", "class": "dataset", "id": ["Uz0"], "size": [1], "value": [1], "dimension": {}}
        server.routes["/api/dotaz/v1/data/vybery/OBY01"] = lambda request: reply(cube)
        declared = {"url": f"{server.url}/api/dotaz/v1/data/vybery/OBY01", "protocol": "czso"}
        assert json.loads(content(tmp_path, fetch(tmp_path, declared))) == cube


STATISTICS = "/eurostat/api/dissemination/statistics/1.0/data/demo"
SDMX = "/eurostat/api/dissemination/sdmx/2.1/data/demo"
TOO_BIG = Reply(
    413,
    b'<S:Fault xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>413</faultcode>'
    b"<faultstring>EXTRACTION_TOO_BIG: The requested extraction is too big</faultstring></S:Fault>",
    {"Content-Type": "application/xml"},
)


def envelope(status: str, job: str = "98de05ea-540a") -> Reply:
    return Reply(
        200,
        f'<?xml version="1.0"?><env:Envelope xmlns:env="e"><env:Body><ns0:syncResponse xmlns:ns0="n"><queued>'
        f"<id>{job}</id><status>{status}</status></queued></ns0:syncResponse></env:Body></env:Envelope>".encode(),
        {"Content-Type": "application/xml"},
    )


class TestEurostat:
    def test_fetches_a_large_extraction_in_slices(self, server: Server, tmp_path: Path) -> None:
        def extraction(request: HttpRequest) -> Reply:
            geo = query(request).get("geo")
            return reply({"class": "dataset", "label": geo}) if geo else TOO_BIG

        server.routes[STATISTICS] = extraction
        declared = {"url": server.url + STATISTICS, "params": {"sex": "F"}, "protocol": "eurostat"}
        assert "EXTRACTION_TOO_BIG" in (fetch(tmp_path, declared).error or "")
        slices = json.loads(content(tmp_path, fetch(tmp_path, {**declared, "split": {"geo": ["CZ", "SK"]}})))
        assert [s["label"] for s in slices] == ["CZ", "SK"]

    def test_joins_slices_under_one_header(self, server: Server, tmp_path: Path) -> None:
        def extraction(request: HttpRequest) -> Reply:
            year = query(request).get("startPeriod")
            return Reply(200, f"geo,TIME_PERIOD,OBS_VALUE\nCZ,{year},1\n".encode()) if year else TOO_BIG

        server.routes[SDMX] = extraction
        declared = {"url": server.url + SDMX, "protocol": "eurostat", "split": {"time": ["2020", "2021"]}}
        assert content(tmp_path, fetch(tmp_path, declared)) == b"geo,TIME_PERIOD,OBS_VALUE\nCZ,2020,1\nCZ,2021,1\n"
        declared["split"] = {"geo": ["CZ"]}
        assert "can be split by time only" in (fetch(tmp_path, declared).error or "")

    def test_waits_for_an_asynchronous_response(self, server: Server, tmp_path: Path) -> None:
        server.replies[SDMX] = [envelope("SUBMITTED")]
        states = "/eurostat/api/dissemination/1.0/async/status/98de05ea-540a"
        server.replies[states] = [envelope("PROCESSING"), envelope("AVAILABLE")]
        server.replies["/eurostat/api/dissemination/1.0/async/data/98de05ea-540a"] = [Reply(200, CSV)]
        result = fetch(tmp_path, {"url": server.url + SDMX, "protocol": "eurostat"})
        assert content(tmp_path, result) == CSV
        assert [path for path, _ in server.requests].count(states) == 2

    @pytest.mark.slow
    @pytest.mark.parametrize(("status", "reason"), [("EXPIRED", "Eurostat reports: EXPIRED"), ("PROCESSING", "not ready after 2 s")])
    def test_gives_up_an_asynchronous_response(self, server: Server, tmp_path: Path, status: str, reason: str) -> None:
        server.replies[SDMX] = [envelope("SUBMITTED")]
        server.replies["/eurostat/api/dissemination/1.0/async/status/98de05ea-540a"] = [envelope(status)]
        assert reason in (fetch(tmp_path, {"url": server.url + SDMX, "protocol": "eurostat"}).error or "")

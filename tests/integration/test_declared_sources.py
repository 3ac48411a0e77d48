"""Sources that are declared but disabled: each is run here against its documented shape (synthetic responses, on loopback)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
import yaml

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.store import Lake
from pipelines.packs.workspace import Workspace
from tests.support.command import PROJECT
from tests.support.server import HttpRequest, Reply, Server, serving

AREAS = """\
id: places
title: Places
publisher: Nobody
licence: CC0-1.0
theme: municipal
fetch: {url: places.csv}
read: {format: csv}
columns: {code: {required: true}, ico: {}}
into: areas
map: {area: {ref_area: code, level: "'lau'", codes: {ico: ico}, parents: {}}}
"""
PLACES = {
    "cz": "code,ico\nCZ_569810,00268810\nCZ_570451,00269018\nCZ_582786,44992785\nCZ_554782,00064581\n",
    "v4": "code,ico\nPL_1001121200101,\nPL_1001121200102,\nSK_512036,\nCZ064,\n",
}


def reply(document: Any) -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), {"Content-Type": "application/json"})


def ares(request: HttpRequest) -> Reply:
    query = json.loads(request.body)
    town = query["sidlo"]["kodObce"]
    assert query["pravniForma"] == ["706"]
    everyone = [
        {
            "ico": f"{town[:3]}{n:05}", "obchodniJmeno": f"Spolek Josefa Vomáčky {n}", "pravniForma": "706", "datumVzniku": "1995-03-01",
            **({"datumZaniku": "2010-01-01"} if n == 1 else {}), "sidlo": {"kodStatu": "CZ", "kodObce": int(town), "nazevObce": "X"},
        }
        for n in range(130)
    ]  # fmt: skip
    start, size = query["start"], query["pocet"]
    return reply({"pocetCelkem": len(everyone), "ekonomickeSubjekty": everyone[start : start + size]})


RES = """\
ICO,OKRESLAU,DDATVZN,DDATZAN,ZPZAN,DDATPAKT,FORMA,ROSFORMA,KATPO,NACE,ICZUJ,FIRMA,CISS2010,KODADM
22600001,CZ0631,2001-05-01,,,2024-01-01,706,,110,94990,569810,Josef Vomáčka a přátelé,,1
22600002,CZ0631,2001-05-01,2005-05-01,1,2024-01-01,706,,110,94990,569810,Zaniklý,,1
22600003,CZ0631,2001-05-01,,,2024-01-01,736,,110,94990,569810,Pobočný,,1
22600004,CZ0631,2001-05-01,,,2024-01-01,112,,110,94990,569810,Obchodní,,1
22600005,CZ0631,2001-05-01,,,2024-01-01,706,,110,94990,999999,Jinde,,1
"""


def decidim(request: HttpRequest) -> Reply:
    query = json.loads(request.body)
    assert "proposals(first: 50, after: $after)" in query["query"]
    after = query["variables"]["after"]
    assert query["variables"]["component"] == "1"
    nodes = [
        {"id": str(n), "state": "accepted", "createdAt": "2023-03-01T10:00:00Z", "publishedAt": "2023-03-02T10:00:00Z", "voteCount": n}
        for n in range(70)
    ]
    start = int(after or 0)
    page = {"endCursor": str(start + 50), "hasNextPage": start + 50 < len(nodes)}
    return reply({"data": {"component": {"proposals": {"pageInfo": page, "nodes": nodes[start : start + 50]}}}})


def consul(request: HttpRequest) -> Reply:
    after = json.loads(request.body)["variables"]["after"]
    start = int(after or 0)
    edges = [{"node": {"id": n, "public_created_at": "2022-05-01 10:00:00 UTC", "cached_votes_up": 3}} for n in range(30)]
    page = {"endCursor": str(start + 25), "hasNextPage": start + 25 < len(edges)}
    return reply({"data": {"proposals": {"pageInfo": page, "edges": edges[start : start + 25]}}})


def sparql(request: HttpRequest) -> Reply:
    query = parse_qs(request.query)["query"][0]
    assert "SELECT ?dataset ?place" in query
    assert request.headers["accept"] == "application/sparql-results+json"

    def row(number: int, place: str, **more: Any) -> dict[str, Any]:
        return {
            "dataset": {"type": "uri", "value": f"https://data.gov.cz/zdroj/datové-sady/{number}"},
            "place": {"type": "uri", "value": f"https://linked.cuzk.cz/resource/ruian/obec/{place}"},
            **more,
        }

    since = {"since": {"type": "literal", "datatype": "http://www.w3.org/2001/XMLSchema#date", "value": "2021-06-01"}}
    bindings = [row(1, "582786", **since), row(2, "582786"), row(3, "999999")]
    return reply({"head": {"vars": ["dataset", "place", "since"]}, "results": {"bindings": bindings}})


def bdl(request: HttpRequest) -> Reply:
    given = {name: values[0] for name, values in parse_qs(request.query).items()}
    assert (given["unit-level"], given["format"]) == ("6", "json")
    units = [
        {"id": "011212001011", "name": "Bochnia", "values": [{"year": given["year"], "val": 29922, "attrId": 1}]},
        {"id": "011212001022", "name": "Bochnia", "values": [{"year": given["year"], "val": 19872, "attrId": 1}]},
        {"id": "011212001999", "name": "Nowhere", "values": [{"year": given["year"], "val": 1, "attrId": 1}]},
    ]
    page, size = int(given["page"]), 2  # the server limits the size
    return reply({"totalRecords": 3, "page": page, "pageSize": size, "links": {}, "results": units[page * size : (page + 1) * size]})


def datacube(request: HttpRequest) -> Reply:
    year = request.path.split("/")[6]
    dimensions = {"nuts14": ["SK", "SK0316512036"], "rok": [year], "pohlavie": ["M", "F", "T"], "ukaz": ["U01"]}
    return reply(cube(dimensions, [10, 20, 30, 1, 2, 3]))


def cube(dimensions: dict[str, list[str]], values: list[float | None], status: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "version": "2.0", "class": "dataset", "id": list(dimensions), "size": [len(codes) for codes in dimensions.values()],
        "dimension": {n: {"category": {"index": {c: i for i, c in enumerate(codes)}}} for n, codes in dimensions.items()},
        "value": {str(i): value for i, value in enumerate(values) if value is not None}, **({"status": status} if status else {}),
    }  # fmt: skip


def eurostat(request: HttpRequest) -> Reply:
    year = parse_qs(request.query).get("time", [""])[0]
    if not year:
        return Reply(413, b"<S:Fault><faultstring>EXTRACTION_TOO_BIG</faultstring></S:Fault>", {"Content-Type": "application/xml"})
    dimensions = {"freq": ["A"], "sex": ["T", "F"], "age": ["TOTAL"], "geo": ["CZ064", "AT111"], "time": [year]}
    return reply(cube(dimensions, [1000, 7, 510, None], {"0": "p"}))


WEB: dict[str, tuple[str, Callable[[HttpRequest], Reply]]] = {
    "associations_ares": ("/ekonomicke-subjekty-v-be/rest/ekonomicke-subjekty/vyhledat", ares),
    "associations_res": ("/data/od_org03/res_data.csv", lambda request: Reply(200, RES.encode(), {"Content-Type": "text/csv"})),
    "participatory_projects": ("/api", decidim),
    "citizen_proposals": ("/graphql", consul),
    "open_data_sets": ("/sparql", sparql),
}
V4 = {
    "pl_population": ("/api/v1/data/by-variable/72305", bdl),
    "sk_population": ("/api/v2/dataset/om7102rr/all/{year}/all/all", datacube),
    "eurostat_population": ("/eurostat/api/dissemination/statistics/1.0/data/demo_r_pjangrp3", eurostat),
}
LISTS = {
    "local_agenda_21": (
        "ico,kind,category,valid_from,valid_to\n00268810,city,C,2015-03-01,2018-03-01\n00268810,city,B,2018-03-01,\n"
        "00000001,micro-region,D,2015-03-01,\n00269018,city,E,2015-03-01,\n"
    ),
    "healthy_cities": "ico,kind,valid_from,valid_to\n00268810,city,2003-01-01,\n00000002,region,2003-01-01,\n",
    "grants": (
        "id,municipality,receiver,programme,year,amount\n1,569810,Josef Vomáčka,sport,2023,5000\n2,569810,Spolek,culture,2024,100.5\n"
        "3,569810,Spolek,culture,2024,-1\n"
    ),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def run(name: str, folder: Path, server: Server, of: str = "cz") -> tuple[SourceReport, pl.DataFrame]:
    """Run the source `name` of a real pack, enabled and with its host on loopback; return its report and its rows in the lake."""
    pack = folder / "pack"
    (pack / "sources").mkdir(parents=True)
    shutil.copy(PROJECT / "packs" / of / "pack.yml", pack)
    head = yaml.safe_load((pack / "pack.yml").read_text(encoding="utf-8"))
    kept = {key: value for key, value in head.items() if key not in ("weight", "peers", "topics", "measures")}
    (pack / "pack.yml").write_text(json.dumps(kept), encoding="utf-8")
    (pack / "places.csv").write_text(PLACES[of])
    (pack / "sources" / "places.yml").write_text(AREAS)
    declared = (PROJECT / "packs" / of / "sources" / f"{name}.yml").read_text(encoding="utf-8")
    assert "enabled: false" in declared
    declared = declared.replace("enabled: false", "enabled: true").replace("min_bytes: 100000000", "min_bytes: 1")
    if name in {**WEB, **V4}:
        path, reply_to = {**WEB, **V4}[name]
        host = declared.split("url: ")[1].split("/", 3)[2]
        declared = declared.replace(f"https://{host}", server.url)
        for year in ("2021", "2022", "2023"):
            server.routes[path.replace("{year}", year)] = reply_to
    (pack / "sources" / f"{name}.yml").write_text(declared, encoding="utf-8")
    loaded, home = packs.load(pack), WorkspaceFolder(folder / "home")
    settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=1_760_000_000)
    fetch_sources(Workspace(home.root, settings, pack=loaded))
    report = Ingest(Workspace(home.root, settings, pack=loaded)).run()[name]
    assert report.errors == {}
    kind = loaded.sources[name].into
    rows = Lake(home.lake).read_all(report.files(kind), kind)
    return report, rows.filter(pl.col("measure").is_not_null()) if kind == "observations" else rows


class TestCzechSources:
    def test_ares_is_paged_and_keeps_no_names(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("associations_ares", tmp_path, server)
        assert report.accepted == rows.height == 260
        assert len(server.requests) == 4
        assert set(rows["ref_area"]) == {"CZ_569810", "CZ_570451"}
        closed = rows.filter(pl.col("valid_to").is_not_null())
        assert closed["valid_to"].unique().to_list() == [date(2010, 1, 1)]
        assert "Vomáčk" not in str(rows.to_dicts())

    def test_res_gives_associations_and_branches(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("associations_res", tmp_path, server)
        assert (report.rows_read, report.accepted, report.quarantined, report.ignored) == (5, 3, 1, {"where": 1})
        assert [a[0]["value"] for a in rows["attributes"].to_list()] == ["706", "706", "736"]
        assert "Vomáčk" not in str(rows.to_dicts())

    def test_decidim_uses_relay_cursors(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("participatory_projects", tmp_path, server)
        assert report.accepted == 70
        assert rows["valid_from"].unique().to_list() == [date(2023, 1, 1)]
        assert rows["id"][69] == "582786/1/69"
        assert rows["attributes"][69].to_list() == [{"attribute": "votes", "value": "69"}]

    def test_consul_uses_relay_cursors(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("citizen_proposals", tmp_path, server)
        assert report.accepted == 30
        assert rows["valid_from"].unique().to_list() == [date(2022, 1, 1)]

    def test_national_catalogue_uses_sparql(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("open_data_sets", tmp_path, server)
        assert (report.accepted, report.quarantined) == (2, 1)  # one names an unknown municipality
        assert rows["valid_from"].to_list() == [date(2021, 6, 1), None]

    @pytest.mark.parametrize(("name", "accepted", "quarantined", "ignored"), [("local_agenda_21", 2, 1, 1), ("healthy_cities", 1, 0, 1)])
    def test_manual_lists_keep_municipalities_with_validity(
        self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, accepted: int, quarantined: int, ignored: int
    ) -> None:
        monkeypatch.setenv("ZPO2_DIR_REGISTERS", str(tmp_path))
        (tmp_path / f"{name}.csv").write_text(LISTS[name])
        report, rows = run(name, tmp_path, server)
        assert (report.accepted, report.quarantined, sum(report.ignored.values())) == (accepted, quarantined, ignored)
        assert rows["ref_area"].unique().to_list() == ["CZ_569810"]
        assert rows["valid_from"].null_count() == 0

    def test_grants_keep_no_receivers(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ZPO2_DIR_REGISTERS", str(tmp_path))
        (tmp_path / "grants.csv").write_text(LISTS["grants"])
        report, rows = run("grants", tmp_path, server)
        assert report.cells_quarantined == 1  # a negative amount
        assert rows.select("amount", "currency").rows() == [(5000.0, "CZK"), (100.5, "CZK"), (None, "CZK")]
        assert "Vomáčka" not in str(rows.to_dicts())


class TestV4Sources:
    def test_polish_data_bank_is_paged_by_year(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("pl_population", tmp_path, server, "v4")
        assert (report.rows_read, report.accepted, report.quarantined) == (9, 6, 3)
        bochnia = rows.filter((pl.col("ref_area") == "PL_1001121200102") & (pl.col("time_period") == "2022"))
        assert bochnia["obs_value"].to_list() == [19872.0]

    def test_datacube_reads_its_dimensions(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("sk_population", tmp_path, server, "v4")
        assert (report.rows_read, report.accepted, report.ignored) == (18, 9, {"ignore": 9})
        assert set(rows.select("ref_area", "time_period", "sex", "obs_value").filter(pl.col("time_period") == "2023").rows()) == {
            ("SK_512036", "2023", "M", 1.0), ("SK_512036", "2023", "F", 2.0), ("SK_512036", "2023", "_T", 3.0),
        }  # fmt: skip

    def test_eurostat_is_split_by_year(self, server: Server, tmp_path: Path) -> None:
        report, rows = run("eurostat_population", tmp_path, server, "v4")
        assert report.accepted == 10
        assert report.ignored == {"ignore": 5}  # Austria; a sparse cube has no row for what has no value
        assert sorted(set(rows.select("time_period", "sex", "obs_status").rows()))[:2] == [("2019", "F", "A"), ("2019", "_T", "P")]


class TestDisabledSources:
    def test_state_their_confidence_and_are_tested_here(self) -> None:
        for of, tried in (("cz", set(WEB) | set(LISTS)), ("v4", set(V4))):
            pack = packs.load(PROJECT / "packs" / of)
            off = {name for name, source in pack.sources.items() if not source.enabled}
            assert off == tried
            assert all(pack.sources[name].confidence in ("documented", "unverified") for name in off)

"""Sources that are declared but switched off: each one is run here against its documented shape (synthetic answers, on loopback)."""

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

from pipelines import packs
from pipelines.home import Home
from pipelines.ingest import Ingest, SourceReport, fetch_sources
from pipelines.lake import Lake
from pipelines.settings import Settings
from tests.support.command import PROJECT
from tests.support.server import Asked, Reply, Server, serving

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
map: {area: {ref_area: "'CZ_' || code", level: "'lau'", codes: {ico: ico}, parents: {}}}
"""
PLACES = "code,ico\n569810,00268810\n570451,00269018\n582786,44992785\n554782,00064581\n"


def reply(document: Any) -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), {"Content-Type": "application/json"})


def ares(asked: Asked) -> Reply:
    question = json.loads(asked.body)
    town = question["sidlo"]["kodObce"]
    assert question["pravniForma"] == ["706"]
    everyone = [
        {
            "ico": f"{town[:3]}{n:05}", "obchodniJmeno": f"Spolek Josefa Vomáčky {n}", "pravniForma": "706", "datumVzniku": "1995-03-01",
            **({"datumZaniku": "2010-01-01"} if n == 1 else {}), "sidlo": {"kodStatu": "CZ", "kodObce": int(town), "nazevObce": "X"},
        }
        for n in range(130)
    ]  # fmt: skip
    start, size = question["start"], question["pocet"]
    return reply({"pocetCelkem": len(everyone), "ekonomickeSubjekty": everyone[start : start + size]})


RES = """\
ICO,OKRESLAU,DDATVZN,DDATZAN,ZPZAN,DDATPAKT,FORMA,ROSFORMA,KATPO,NACE,ICZUJ,FIRMA,CISS2010,KODADM
22600001,CZ0631,2001-05-01,,,2024-01-01,706,,110,94990,569810,Josef Vomáčka a přátelé,,1
22600002,CZ0631,2001-05-01,2005-05-01,1,2024-01-01,706,,110,94990,569810,Zaniklý,,1
22600003,CZ0631,2001-05-01,,,2024-01-01,736,,110,94990,569810,Pobočný,,1
22600004,CZ0631,2001-05-01,,,2024-01-01,112,,110,94990,569810,Obchodní,,1
22600005,CZ0631,2001-05-01,,,2024-01-01,706,,110,94990,999999,Jinde,,1
"""


def decidim(asked: Asked) -> Reply:
    question = json.loads(asked.body)
    assert "proposals(first: 50, after: $after)" in question["query"]
    after = question["variables"]["after"]
    assert question["variables"]["component"] == "1"
    nodes = [
        {"id": str(n), "state": "accepted", "createdAt": "2023-03-01T10:00:00Z", "publishedAt": "2023-03-02T10:00:00Z", "voteCount": n}
        for n in range(70)
    ]
    start = int(after or 0)
    page = {"endCursor": str(start + 50), "hasNextPage": start + 50 < len(nodes)}
    return reply({"data": {"component": {"proposals": {"pageInfo": page, "nodes": nodes[start : start + 50]}}}})


def consul(asked: Asked) -> Reply:
    after = json.loads(asked.body)["variables"]["after"]
    start = int(after or 0)
    edges = [{"node": {"id": n, "public_created_at": "2022-05-01 10:00:00 UTC", "cached_votes_up": 3}} for n in range(30)]
    page = {"endCursor": str(start + 25), "hasNextPage": start + 25 < len(edges)}
    return reply({"data": {"proposals": {"pageInfo": page, "edges": edges[start : start + 25]}}})


def sparql(asked: Asked) -> Reply:
    query = parse_qs(asked.query)["query"][0]
    assert "SELECT ?dataset ?place" in query
    assert asked.headers["accept"] == "application/sparql-results+json"

    def row(number: int, place: str, **more: Any) -> dict[str, Any]:
        return {
            "dataset": {"type": "uri", "value": f"https://data.gov.cz/zdroj/datové-sady/{number}"},
            "place": {"type": "uri", "value": f"https://linked.cuzk.cz/resource/ruian/obec/{place}"},
            **more,
        }

    since = {"since": {"type": "literal", "datatype": "http://www.w3.org/2001/XMLSchema#date", "value": "2021-06-01"}}
    bindings = [row(1, "582786", **since), row(2, "582786"), row(3, "999999")]
    return reply({"head": {"vars": ["dataset", "place", "since"]}, "results": {"bindings": bindings}})


WEB: dict[str, tuple[str, Callable[[Asked], Reply]]] = {
    "associations_ares": ("/ekonomicke-subjekty-v-be/rest/ekonomicke-subjekty/vyhledat", ares),
    "associations_res": ("/data/od_org03/res_data.csv", lambda asked: Reply(200, RES.encode(), {"Content-Type": "text/csv"})),
    "participatory_projects": ("/api", decidim),
    "citizen_proposals": ("/graphql", consul),
    "open_data_sets": ("/sparql", sparql),
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


def run(name: str, folder: Path, server: Server) -> tuple[SourceReport, pl.DataFrame]:
    """Run the source `name` of packs/cz, switched on, with its host on loopback; return its report and its rows in the lake."""
    pack = folder / "pack"
    (pack / "sources").mkdir(parents=True)
    shutil.copy(PROJECT / "packs" / "cz" / "pack.yml", pack)
    text = (pack / "pack.yml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(("weight:", "peers:"))]
    (pack / "pack.yml").write_text("\n".join(kept), encoding="utf-8")
    (pack / "places.csv").write_text(PLACES)
    (pack / "sources" / "places.yml").write_text(AREAS)
    declared = (PROJECT / "packs" / "cz" / "sources" / f"{name}.yml").read_text(encoding="utf-8")
    assert "enabled: false" in declared
    declared = declared.replace("enabled: false", "enabled: true").replace("min_bytes: 100000000", "min_bytes: 1")
    if name in WEB:
        path, answer = WEB[name]
        host = declared.split("url: ")[1].split("/", 3)[2]
        declared = declared.replace(f"https://{host}", server.url)
        server.routes[path] = answer
    (pack / "sources" / f"{name}.yml").write_text(declared, encoding="utf-8")
    loaded, home = packs.load(pack), Home(folder / "home")
    settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=1_760_000_000)
    fetch_sources(loaded, home, settings)
    report = Ingest(loaded, home, settings).run()[name]
    assert report.errors == {}
    return report, Lake(home.lake).read_all(report.files("register"), "register")


def test_ares_is_read_page_by_page_without_names(server: Server, tmp_path: Path) -> None:
    report, rows = run("associations_ares", tmp_path, server)
    assert report.accepted == rows.height == 260
    assert len(server.asked) == 4
    assert set(rows["ref_area"]) == {"CZ_569810", "CZ_570451"}
    closed = rows.filter(pl.col("valid_to").is_not_null())
    assert closed["valid_to"].unique().to_list() == [date(2010, 1, 1)]
    assert "Vomáčk" not in str(rows.to_dicts())


def test_the_business_register_gives_associations_and_branches_with_their_dates(server: Server, tmp_path: Path) -> None:
    report, rows = run("associations_res", tmp_path, server)
    assert (report.rows_read, report.accepted, report.quarantined, report.ignored) == (5, 3, 1, {"where": 1})
    assert [a[0]["value"] for a in rows["attributes"].to_list()] == ["706", "706", "736"]
    assert "Vomáčk" not in str(rows.to_dicts())


def test_decidim_is_read_by_relay_cursors(server: Server, tmp_path: Path) -> None:
    report, rows = run("participatory_projects", tmp_path, server)
    assert report.accepted == 70
    assert rows["valid_from"].unique().to_list() == [date(2023, 1, 1)]
    assert rows["id"][69] == "582786/1/69"
    assert rows["attributes"][69].to_list() == [{"attribute": "votes", "value": "69"}]


def test_consul_is_read_by_relay_cursors(server: Server, tmp_path: Path) -> None:
    report, rows = run("citizen_proposals", tmp_path, server)
    assert report.accepted == 30
    assert rows["valid_from"].unique().to_list() == [date(2022, 1, 1)]


def test_the_national_catalogue_is_asked_by_sparql(server: Server, tmp_path: Path) -> None:
    report, rows = run("open_data_sets", tmp_path, server)
    assert (report.accepted, report.quarantined) == (2, 1)  # one names a municipality that is not there
    assert rows["valid_from"].to_list() == [date(2021, 6, 1), None]


@pytest.mark.parametrize(("name", "accepted", "quarantined", "ignored"), [("local_agenda_21", 2, 1, 1), ("healthy_cities", 1, 0, 1)])
def test_a_list_kept_by_hand_has_validity_and_leaves_out_what_is_no_municipality(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, accepted: int, quarantined: int, ignored: int
) -> None:
    monkeypatch.setenv("ZPO2_DIR_REGISTERS", str(tmp_path))
    (tmp_path / f"{name}.csv").write_text(LISTS[name])
    report, rows = run(name, tmp_path, server)
    assert (report.accepted, report.quarantined, sum(report.ignored.values())) == (accepted, quarantined, ignored)
    assert rows["ref_area"].unique().to_list() == ["CZ_569810"]
    assert rows["valid_from"].null_count() == 0


def test_grants_are_amounts_of_a_year_without_receivers(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZPO2_DIR_REGISTERS", str(tmp_path))
    (tmp_path / "grants.csv").write_text(LISTS["grants"])
    report, rows = run("grants", tmp_path, server)
    assert report.cells_quarantined == 1  # a negative amount
    assert rows.select("amount", "currency").rows() == [(5000.0, "CZK"), (100.5, "CZK"), (None, "CZK")]
    assert "Vomáčka" not in str(rows.to_dicts())


def test_every_source_that_is_switched_off_says_how_sure_its_shape_is_and_is_tried_here() -> None:
    pack = packs.load(PROJECT / "packs" / "cz")
    off = {name for name, source in pack.sources.items() if not source.enabled}
    assert off == set(WEB) | set(LISTS)
    assert all(pack.sources[name].confidence in ("documented", "unverified") for name in off)

"""The site of a release: its data equal the files for programs, its pages are safe against hostile texts, and `verify` notices damage."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from derived_sample import FILL, INDICATORS, TABLES
from release_sample import INFO, REPORT

import exports
from exports import Column, ReleaseError
from exports.metadata import report
from exports.model import layout
from exports.model.site_choices import PNG, SiteChoices
from exports.site import built, choices, distribution
from exports.site.built import Built
from pipelines.core.vocabulary import TABLE_FORMATS
from tests.support.copies import to_spoil

pytestmark = pytest.mark.slow

HOSTILE = '<script>alert("1")</script>\u202e&"><img src=x onerror=alert(2)>'
LONG = "a" * 10_000
MORE_COLUMNS = (Column("display", "VARCHAR", "Where it is shown"), Column("formula", "VARCHAR", "How it is computed"))
WITH_MORE = dataclasses.replace(INDICATORS, columns=(*INDICATORS.columns, *MORE_COLUMNS))
OWN_TABLES = tuple(WITH_MORE if table.name == "indicators" else table for table in TABLES)
MORE = """
alter table marts.indicators add column display varchar;
alter table marts.indicators add column formula varchar;
update marts.indicators set display = 'headline' where indicator = 'share';
insert into marts.area_parents values ('001', 'CZ é', null), ('002', 'CZ é', null);
update marts.areas set level = 'nuts0' where ref_area = 'CZ é';
"""
FORMATS = (*TABLE_FORMATS, "api", "site")
LOGO = PNG + b"\x00\x00\x00\rIHDR" + (88).to_bytes(4, "big") + (36).to_bytes(4, "big") + b"\x08"


def build(root: Path, more: str = "", day: int = 3, **info: Any) -> Path:
    if not root.is_dir():
        root.mkdir(parents=True)
        with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
            connection.execute(FILL + MORE + more)
    levels = {"lau": {"en": "municipality", "cs": "obec"}, "nuts0": {"en": "state", "cs": "stát"}}
    wanted = {"formats": FORMATS, "levels": levels, **info}
    own = dataclasses.replace(INFO, released=datetime(2026, 11, day, tzinfo=UTC), **wanted)
    return exports.build(root / "warehouse.duckdb", OWN_TABLES, own, root / "public", root / "staging", REPORT).path


def data(release: Path, name: str) -> Any:
    return json.loads((release / "site" / "data" / f"{name}.json").read_bytes())


def page(release: Path, name: str) -> str:
    return (release / "site" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site") / "home")


class TestFiles:
    def test_are_pages_data_and_what_was_built(self, release: Path) -> None:
        there = {path.relative_to(release / "site").as_posix() for path in (release / "site").rglob("*") if path.is_file()}
        shells = {f"{language}/{kind}.html" for language in ("en", "cs") for kind in built.KINDS}
        own = {f"data/{name}.json" for name in ("meta.en", "meta.cs", "texts.en", "texts.cs", "places", "files", "indicators/share")}
        areas = {"data/within/lau-CZ_20_c3_a9.json", "data/within/nuts0.json", "data/peers/lau-CZ_20_c3_a9-1.json"}
        areas |= {
            f"data/{name}.json" for name in ("newest/lau-CZ_20_c3_a9-1.0", "newest/lau-CZ_20_c3_a9-1.1", "newest/nuts0-1.0", "find/0")
        }
        assert there == {"index.html", *shells, *own, *areas, *(f"assets/{name}" for name in built.read().files)}
        assert exports.verify(release) == []

    def test_are_left_out_where_the_pack_does_not_want_them(self, tmp_path: Path) -> None:
        without = build(tmp_path / "home", formats=(*TABLE_FORMATS, "api"))
        assert not (without / "site").exists()
        assert "site" not in json.loads((without / "api.json").read_bytes())
        assert exports.verify(without) == []

    def test_two_builds_have_the_same_bytes(self, release: Path, tmp_path: Path) -> None:
        other = build(tmp_path / "home")
        files = {path.relative_to(release): path.read_bytes() for path in (release / "site").rglob("*") if path.is_file()}
        assert files == {path.relative_to(other): path.read_bytes() for path in (other / "site").rglob("*") if path.is_file()}

    def test_that_did_not_change_are_linked(self, tmp_path: Path) -> None:
        build(tmp_path / "home")
        with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb")) as connection:
            connection.execute("update marts.indicators set title_en = 'Never before' where indicator = 'never'")
        second = build(tmp_path / "home", day=4)
        linked = {path.relative_to(second / "site").as_posix() for path in (second / "site").rglob("*") if path.stat().st_nlink > 1}
        assert {f"assets/{name}" for name in built.read().files} | {"data/places.json", "data/texts.en.json"} <= linked
        assert "data/meta.en.json" not in linked
        assert exports.verify(second) == []

    def test_are_named_to_people_and_programs(self, release: Path) -> None:
        assert json.loads((release / "api.json").read_bytes())["site"].endswith("/site/index.html")
        assert "(site/index.html)" in (release / "llms.txt").read_text(encoding="utf-8")
        assert "`site/index.html`" in (release / "README.md").read_text(encoding="utf-8")
        for language, name in (("en", "index.html"), ("cs", "index.cs.html")):
            assert f'href="site/{language}/index.html"' in (release / name).read_text(encoding="utf-8")
        assert f'href="releases/{release.name}/site/en/index.html"' in (release.parents[1] / "index.html").read_text(encoding="utf-8")

    def test_have_a_budget_of_their_own(self, release: Path) -> None:
        size = json.loads((release / report.PATH).read_bytes())["size"]
        files = [path for path in (release / "site").rglob("*") if path.is_file()]
        assert (size["site"]["files"], size["site"]["bytes"]) == (len(files), sum(path.stat().st_size for path in files))
        assert size["site"]["within_budget"] is True

    def test_need_what_was_built(self, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match="built files of the site are not complete"):
            built.read(tmp_path)
        manifest = {name: name.replace(".", "-0123456789ab.") for name in (*(f"{kind}.js" for kind in built.KINDS), "style.css")}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        (tmp_path / "texts.en.json").write_text("{}")
        with pytest.raises(ReleaseError, match=re.escape("data-0123456789ab.js, style-0123456789ab.css is missing")):
            built.read(tmp_path)


class TestData:
    def test_within_has_the_headline_values_of_neighbours(self, release: Path) -> None:
        within = data(release, "within/lau-CZ_20_c3_a9")
        assert (within["parent"], within["level"], within["areas"]) == (2, "lau", [0, 1])
        assert within["indicators"] == {"share": [0.857142857143, 0.857142857143]}
        state = data(release, "within/nuts0")
        assert (state["parent"], state["areas"], state["indicators"]) == (None, [2], {"share": [0.857142857143]})

    def test_a_level_without_a_title_has_its_identifier(self, tmp_path: Path) -> None:
        other = build(tmp_path / "home", levels={"lau": {"en": "municipality"}, "nuts0": {}})
        assert [level["title"] for level in data(other, "meta.en")["levels"]] == ["municipality", "nuts0"]
        assert exports.verify(other) == []

    def test_the_unit_of_a_logarithm_of_a_ratio_is_in_words_that_people_know(self, tmp_path: Path) -> None:
        formula = "a; log_ratio change over 10 years"
        other = build(tmp_path / "home", f"update marts.indicators set formula = '{formula}' where indicator = 'share';")
        words = json.loads((other / "site" / "data" / "texts.cs.json").read_bytes()).get("common.log_ratio")
        share = next(own for own in data(other, "meta.cs")["indicators"] if own["indicator"] == "share")
        assert share["is_log_ratio"] is True
        assert words is None or share["unit"] == words == "logaritmus poměru (0 = beze změny)"
        assert exports.verify(other) == []

    def test_values_of_other_indicators_lie_beside_those_of_headlines(self, tmp_path: Path) -> None:
        other = build(tmp_path / "home", "update marts.indicators set display = 'more';")
        assert data(other, "within/nuts0")["indicators"] == {}
        assert data(other, "within_more/nuts0") == {"areas": [2], "indicators": {"share": [0.857142857143]}}
        spoilt = spoil(other, tmp_path, "within_more/nuts0", _set("indicators", "share", 0, value=0.9))
        assert "site/data/within_more/nuts0.json: the values of share differ" in spoilt

    def test_peers_have_names_and_values(self, release: Path) -> None:
        peers = data(release, "peers/lau-CZ_20_c3_a9-1")
        assert (peers["areas"], peers["codes"], peers["names"]) == ([1], ["002"], ["'=sum"])
        assert peers["indicators"] == {"share": [0.857142857143]}

    def test_meta_is_in_one_language(self, release: Path) -> None:
        english, czech = data(release, "meta.en"), data(release, "meta.cs")
        assert (english["title"], czech["title"]) == ("Demo indicators", "Ukázkové ukazatele")
        assert [level["title"] for level in czech["levels"]] == ["obec", "stát"]
        assert czech["country"] == {"area": 2, "code": "CZ", "name": "Česko"}
        assert czech["areas"]["code"] == ["CZ é"]
        share = next(own for own in english["indicators"] if own["indicator"] == "share")
        assert (share["newest"], share["first"], share["topic"]) == (
            {"lau": "2006", "nuts0": "2006"},
            {"lau": "2000", "nuts0": "2000"},
            "women",
        )
        assert english["topics"] == [{"topic": "women", "title": "Women and men", "indicators": ["share"]}]
        assert english["changes"]["previous_version"] is None

    def test_meta_says_what_areas_are_compared_within_and_what_similar_areas_have_in_common(self, release: Path, tmp_path: Path) -> None:
        assert [level["above"] for level in data(release, "meta.en")["levels"]] == ["nuts0", None]
        assert data(release, "meta.en")["peers_by"] == []
        measures = {"people": {"en": "people", "cs": "lidé"}}
        other = build(tmp_path / "home", peers_by=("people", "share", "of_nobody"), measures=measures)
        assert data(other, "meta.cs")["peers_by"] == ["lidé", "Share", "of nobody"]

    def test_places_name_their_bundles(self, release: Path) -> None:
        places = data(release, "places")
        assert [places["bundles"][bundle] for bundle in places["bundle"]] == ["lau-CZ_20_c3_a9-1"] * 2
        assert (places["code"], places["parent"], places["former"]) == (["001", "002"], [2, 2], [])

    def test_an_indicator_has_levels_with_series(self, release: Path) -> None:
        own = data(release, "indicators/share")
        level, state = own["levels"]
        assert (level["level"], state["level"], level["period"], own["fine"]) == ("lau", "nuts0", "2006", None)
        assert level["series"]["breakdowns"][0]["status"] == [letter * 2 for letter in "ACQBOZAMS"]
        assert own["about"]["indicator"] == "share"

    def test_files_are_those_of_the_release(self, release: Path) -> None:
        listed = {entry["path"]: entry for entry in data(release, "files")}
        assert listed["csv/indicator_values/"]["files"] == 2
        assert listed["parquet/areas.parquet"]["title"]["cs"] == "Území"
        assert not [path for path in listed if path.startswith(("api/", "site/"))]


class TestDistribution:
    def test_counts_every_value_once(self) -> None:
        values = np.array([*np.linspace(0, 100, 200), 5_000.0, np.nan])
        people = np.array([*np.tile([100.0, 700.0, 3_000.0, 20_000.0], 50), 100.0, 100.0])
        spread = distribution.document(values, people, 1)
        assert spread is not None
        assert len(spread["edges"]) - 1 <= distribution.MOST_BINS
        assert [own["from"] for own in spread["classes"]] == [0, 500, 2_000, 10_000]
        assert [(own["areas"], own["missing"], sum(own["counts"])) for own in spread["classes"]] == [(52, 1, 51), *[(50, 0, 50)] * 3]
        assert spread["classes"][0]["counts"][-1] >= 1, "the largest value is in the last bin"
        assert max(spread["edges"]) < 5_000

    @pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [-1e-9, 1e-9], [1e12, 2e12], [0.0, 0.0, 1.0]])
    def test_bins_exist_whatever_the_values(self, values: list[float]) -> None:
        spread = distribution.document(np.array(values), np.full(len(values), 600.0), 1)
        assert spread is not None
        assert spread["edges"] == sorted(set(spread["edges"]))
        assert sum(spread["classes"][0]["counts"]) == len(values)

    def test_is_nothing_without_values(self) -> None:
        assert distribution.document(np.array([np.nan]), np.array([10.0]), None) is None


class TestPages:
    @pytest.mark.parametrize("language", ["en", "cs"])
    @pytest.mark.parametrize("kind", built.KINDS)
    def test_are_in_one_language_and_lead_to_the_other(self, release: Path, language: str, kind: str) -> None:
        text = page(release, f"{language}/{kind}.html")
        other = "cs" if language == "en" else "en"
        assert f'<html lang="{language}">' in text
        assert f'<body data-page="{kind}" data-root="../../">' in text
        assert f'href="../{other}/{kind}.html" lang="{other}" hreflang="{other}"' in text
        assert f'<a href="{kind}.html" aria-current="page">' in text
        assert text.count("<h1") == 1
        assert "style=" not in text

    def test_ask_for_what_their_address_needs_before_their_script_is_there(self, release: Path) -> None:
        early = next((release / "site" / "assets").glob("early-*.js"), None)
        if early is None:
            pytest.skip("the built files are older than the sources")
        assert f'src="../assets/{early.name}" data-kind="place" data-finds="1"></script>' in page(release, "en/place.html")
        ids = " ".join(json.loads((release / "api/v1/index.json").read_bytes())["indicators"])
        assert f'src="../assets/{early.name}" data-kind="indicator" data-ids="{ids}"></script>' in page(release, "en/indicator.html")
        assert early.name not in page(release, "en/index.html")

    def test_ask_at_once_for_what_every_view_of_them_needs(self, release: Path) -> None:
        def preloaded(name: str) -> list[str]:
            return re.findall('rel="preload" as="fetch" crossorigin="anonymous" href="../../([^"]*)"', page(release, f"en/{name}.html"))

        texts = ["site/data/meta.en.json", "site/data/texts.en.json"]
        assert preloaded("index") == texts
        assert preloaded("compare") == [*texts, "site/data/places.json"]
        assert preloaded("data") == [*texts, "site/data/files.json", "api/v1/indicators.json"]
        assert all((release / path).is_file() for name in ("compare", "data") for path in preloaded(name))

    def test_say_what_to_do_if_the_script_never_comes(self, release: Path) -> None:
        text = page(release, "cs/data.html")
        assert '<div class="late">' in text
        assert text.count('<a href="../../index.cs.html">') == 3

    def test_lead_to_files_without_a_script(self, release: Path) -> None:
        assert '<li>Share: <a href="../../csv/indicator_values/share.csv">CSV</a></li>' in page(release, "en/indicator.html")
        assert 'href="../../index.cs.html"' in page(release, "cs/place.html")

    def test_lead_to_indicators_that_are_in_no_topic(self, tmp_path: Path) -> None:
        other = build(tmp_path / "home", topics=())
        assert '<li>Share: <a href="../../csv/indicator_values/share.csv">CSV</a></li>' in page(other, "en/indicator.html")

    def test_the_first_page_leads_to_the_first_language(self, release: Path) -> None:
        assert 'content="0; url=en/index.html"' in page(release, "index.html")
        assert 'href="cs/index.html" lang="cs"' in page(release, "index.html")

    def test_a_language_without_texts_is_not_offered(self, tmp_path: Path) -> None:
        other = build(tmp_path / "home", languages=["xx", "yy"], title={"xx": "Ixx"}, topics=())
        assert sorted(path.name for path in (other / "site").iterdir()) == ["assets", "data", "en", "index.html"]
        assert "Ixx" in page(other, "en/index.html")
        assert exports.verify(other) == []

    @pytest.mark.parametrize("text", [HOSTILE, LONG])
    def test_texts_of_packs_are_escaped_and_cut(self, tmp_path: Path, text: str) -> None:
        quoted = text.replace("'", "''")
        topic = dataclasses.replace(INFO.topics[0], titles={"en": text})
        chosen = SiteChoices(title={"cs": text}, texts={"en": {"nav.place": text, "no.such": text}})
        hostile = build(
            tmp_path / "home",
            f"update marts.indicators set title_en = '{quoted}' where indicator = 'share'; update marts.areas set name = '{quoted}'",
            title={"en": text},
            publisher={"name": text},
            topics=(topic,),
            site=chosen,
        )
        for path in (hostile / "site").rglob("*.html"):
            own = path.read_text(encoding="utf-8")
            assert "<script>" not in own
            assert "<img" not in own
            assert "\u202e" not in own
            assert LONG not in re.sub(r"<nav.*?</nav>", "", own, flags=re.DOTALL)
        assert data(hostile, "meta.en")["title"] == text
        assert "no.such" not in data(hostile, "texts.en")
        assert exports.verify(hostile) == []


class TestChoices:
    def test_of_the_pack_are_on_every_page(self, tmp_path: Path) -> None:
        chosen = SiteChoices(
            title={"en": "Districts in numbers"},
            logo=LOGO,
            colours={"here": "#005ea5"},
            colours_dark={"here": "#7cc4ff"},
        )
        own = build(tmp_path / "home", site=chosen)
        style, logo = choices.files(chosen)
        text = page(own, "en/place.html")
        assert f'<link rel="stylesheet" href="../assets/{style}">' in text
        assert f'<img src="../assets/{logo}" alt="" width="88" height="36">Districts in numbers</a>' in text
        css = (own / "site" / "assets" / style).read_text(encoding="utf-8")
        assert css.startswith(":root{--here:#005ea5}\n@media (prefers-color-scheme:dark)")
        assert exports.verify(own) == []

    def test_make_a_new_release(self, tmp_path: Path) -> None:
        first = build(tmp_path / "home")
        assert build(tmp_path / "home", day=4) == first
        assert build(tmp_path / "home", day=5, site=SiteChoices(colours={"here": "#005ea5"})) != first

    @pytest.mark.parametrize("colours", [{"here": "red}body{display:none"}, {"no-such": "#005ea5"}])
    def test_that_are_no_colours_have_no_effect(self, colours: Mapping[str, str]) -> None:
        assert choices.files(SiteChoices(colours=colours)) == {}

    def test_replace_texts_but_no_forms_for_numbers(self) -> None:
        own = {"nav.place": "Places", "n": {"one": "{n} place", "other": "{n} places"}}
        replaced = choices.texts(own, SiteChoices(texts={"en": {"nav.place": "Districts", "n": "x"}}), "en")
        assert replaced == {"nav.place": "Districts", "n": own["n"]}


def test_a_share_picture_is_that_of_the_kind_or_of_the_site() -> None:
    names = ("share-site-0123456789ab.png", "share-place-0123456789ab.png", "app-0123456789ab.js")
    own = Built({}, {name: Path(name) for name in names})
    assert (own.share("place"), own.share("data"), Built({}).share("place")) == (names[1], names[0], "")


def spoil(release: Path, tmp_path: Path, name: str, change: Callable[[Any], None]) -> list[str]:
    """Return the faults of a copy of a release in which a JSON file of the site was changed."""
    copy = to_spoil(release, tmp_path / "copy")
    path = copy / "site" / "data" / f"{name}.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(json.dumps(document).encode())
    return [fault for fault in exports.verify(copy) if "SHA256SUMS" not in fault and "checksum" not in fault]


def _set(*keys: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("within/lau-CZ_20_c3_a9", _set("indicators", "share", 0, value=0.9), "the values of share differ"),
        ("within/lau-CZ_20_c3_a9", _set("areas", value=[0]), "its areas differ"),
        ("peers/lau-CZ_20_c3_a9-1", _set("names", 0, value="Praha"), "its names or codes differ"),
        ("newest/nuts0-1.0", _set("indicators", 0, "value", 0, value=0.9), "the values of share differ"),
        ("find/0", _set("001", 0, value=1), "its areas differ"),
        ("places", _set("population", 0, value=1), "population differs"),
        ("meta.cs", _set("indicators", 1, "newest", value={}), "share differs"),
        ("meta.cs", _set("levels", 0, "map", value="geo/no.topojson"), "geo/no.topojson: no such file"),
        ("indicators/share", _set("levels", 0, "breakdowns", 0, "value", 1, value=3), "the newest values of lau differ"),
        ("indicators/share", _set("levels", 0, "series", "breakdowns", 0, "status", 0, value="BA"), "the series of lau differ"),
        ("files", _set(0, "bytes", value=1), "does not exist or has another size"),
    ],
)  # fmt: skip
def test_verify_reports_a_changed_number(release: Path, tmp_path: Path, name: str, change: Callable[[Any], None], fault: str) -> None:
    assert any(line.startswith(f"site/data/{name}.json: ") and fault in line for line in spoil(release, tmp_path, name, change))


def test_verify_reports_pages_that_lead_nowhere_and_own_scripts(release: Path, tmp_path: Path) -> None:
    copy = to_spoil(release, tmp_path / "copy")
    path = copy / layout.site_page("en", "data")
    path.write_text(path.read_text(encoding="utf-8").replace("</main>", '<a href="gone.html">x</a><script>1</script></main>'))
    (copy / "site" / "data" / "within" / "nuts0.json").unlink()
    faults = exports.verify(copy)
    assert "site/en/data.html: leads to gone.html, which does not exist" in faults
    assert "site/en/data.html: has a script or a style of its own in <script>" in faults
    assert "site/data/within/nuts0.json: missing" in faults

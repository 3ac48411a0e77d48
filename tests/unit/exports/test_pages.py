"""The pages of a release and beside it: what they say and link, hostile texts, and every way in which the current release changes."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import release_sample
from lxml import etree, html
from release_sample import INFO, Home, later

from exports.model import layout
from exports.model.info import Facts
from exports.pages import release_page, render, words
from exports.release import lifecycle, public_folder
from exports.release.ledger import read_ledger
from pipelines.core.code_texts import LANGUAGES
from tests.support.command import PROJECT

pytestmark = pytest.mark.slow

FIRST, SECOND = "2026.11.1", "2026.11.2"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
EVIL = '</title><script>alert(1)</script>"\u202egnp.exe'
HOSTILE = replace(
    INFO,
    title={"en": EVIL, "cs": EVIL},
    publisher={"name": EVIL, "iri": "javascript:alert(1)", "email": 'x@y.cz"onclick=1'},
    licence="x",
    sources=[
        {
            "id": "s",
            "title": EVIL,
            "publisher": EVIL,
            "licence": "NOASSERTION",
            "homepage": "javascript:alert(1)",
            "citation": EVIL,
            "rights": {"en": EVIL},
            "licence_url": "javascript:alert(1)",
            "carrier": {"name": EVIL},
        },
        {"id": "t", "title": "T", "publisher": "P", "licence": "MIT", "homepage": 'https://a.example/"><script>', "citation": ""},
    ],
    levels={"x": {"en": EVIL}},
    topics=[replace(topic, titles={"en": EVIL}, descriptions={"cs": EVIL}, keywords={"en": (EVIL,)}) for topic in INFO.topics],
)
LIFE = """
import sys
sys.path.insert(0, {here!r})
import release_sample
release_sample.die_at({step!r})
from datetime import UTC, datetime
from pathlib import Path
from exports.release import lifecycle
lifecycle.rollback(Path({public!r}), Path({staging!r}), {version!r}, "wrong", datetime(2026, 12, 1, tzinfo=UTC))
"""


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("warehouses")
    changed = "insert into marts.areas values ('CZ_4', 'new', 'lau', null, '')"
    return release_sample.warehouse(folder / "one.duckdb"), release_sample.warehouse(folder / "two.duckdb", changed)


@pytest.fixture(scope="module")
def published(warehouses: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("published"))
    home.build(warehouses[0])
    home.build(warehouses[1], later(1))
    return home


@pytest.fixture
def home(published: Home, tmp_path: Path) -> Home:
    """A copy that may be changed."""
    shutil.copytree(published.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def page(path: Path) -> Any:
    return html.fromstring(path.read_bytes())


def text(path: Path) -> str:
    return " ".join(page(path).text_content().split())


def pages(public: Path) -> list[Path]:
    return sorted(public.rglob("*.html"))


def targets(path: Path) -> list[str]:
    """Return the addresses that a page links and loads, without those on other sites and in the page itself."""
    found = [str(value) for value in page(path).xpath("//@href | //@src")]
    found += [str(value).partition("url=")[2] for value in page(path).xpath("//meta[@http-equiv='refresh']/@content")]
    return [target for target in found if not urlsplit(target).scheme and not target.startswith("#")]


def pointers(public: Path) -> dict[str, bytes]:
    """Return the files beside the releases."""
    files = (
        path for path in public.rglob("*") if path.is_file() and not path.relative_to(public).as_posix().startswith(("releases/", "."))
    )
    return {path.relative_to(public).as_posix(): path.read_bytes() for path in files}


def shown(public: Path) -> set[str]:
    """Return the releases to which the pages beside the releases lead as the current one."""
    leads = {str(value).split("/")[2] for value in page(public / "latest" / "index.html").xpath("//*[@id='current']/@href")}
    root = page(public / "index.html")
    leads |= {a.text for a in root.xpath("//dl//a[starts-with(@href, 'releases/')]")}
    package = json.loads((public / "latest" / "datapackage.json").read_bytes())
    return leads | {package["version"], str(package["resources"][0]["path"]).split("/releases/")[1].split("/")[0]}


class TestLinks:
    def test_every_link_is_a_file(self, published: Home) -> None:
        checked = 0
        for path in pages(published.public):
            for target in targets(path):
                there = unquote(urlsplit(urljoin(path.as_uri(), target)).path)
                assert Path(there).is_file(), f"{path}: {target}"
                checked += 1
        assert checked > 100

    def test_release_page_names_every_file(self, published: Home) -> None:
        release = published.public / "releases" / SECOND
        named = {unquote(target) for target in targets(release / "index.html")}
        assert {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()} - named <= {"pages.json"}

    def test_sizes_are_those_of_the_files(self, published: Home) -> None:
        release = published.public / "releases" / SECOND
        row = page(release / "index.html").xpath("//tr[.//a[@href='csv/areas.csv']]")[0]
        assert words.size((release / "csv" / "areas.csv").stat().st_size, "en") in row.text_content()

    def test_languages_lead_to_each_other(self, published: Home) -> None:
        for folder in (published.public, published.public / "latest", published.public / "releases" / FIRST):
            for name, language, other in (("index.html", "en", "index.cs.html"), ("index.cs.html", "cs", "index.html")):
                document = page(folder / name)
                assert document.get("lang") == language
                assert other in targets(folder / name)
                assert document.xpath("//nav//*[@aria-current='true']/@lang") == [language]

    def test_latest_keeps_query_and_fragment_by_a_script_beside_it(self, published: Home) -> None:
        folder = published.public / "latest"
        document = page(folder / "index.html")
        assert document.xpath("//script/@src") == ["latest.js"]
        assert document.xpath("//noscript/meta/@content") == [f"0; url=../releases/{SECOND}/index.html"]
        script = (folder / "latest.js").read_text(encoding="utf-8")
        assert "location.search + location.hash" in script


class TestContent:
    def test_page_of_release_tells_what_a_reader_needs(self, published: Home) -> None:
        english = text(published.public / "releases" / SECOND / "index.html")
        for said in ("Demo indicators", SECOND, "4 November 2026", "Czechia", "Example office", "CC-BY-4.0", "Population", "Statistical office",
                     "CC0-1.0", "Town (2026)", "not stated", "How to cite", "data@example.org"):  # fmt: skip
            assert said in english, said
        czech = text(published.public / "releases" / SECOND / "index.cs.html")
        for said in ("Ukázkové ukazatele", "4.\u00a011.\u00a02026", "Česko", "Jak citovat", "Zdroje a jejich licence"):
            assert said.replace("\u00a0", " ") in czech, said

    def test_says_what_is_known_of_sources_without_a_licence_and_who_passed_them_on(self, published: Home) -> None:
        english = published.public / "releases" / SECOND / "index.html"
        assert "Passed on by mirror" in text(english)
        assert "Free with attribution. Terms of use" in text(english)
        assert 'href="https://town.example.org/terms"' in english.read_text(encoding="utf-8")

    def test_a_share_alike_source_decides_the_licence_of_the_release(self, warehouses: tuple[Path, Path], tmp_path: Path) -> None:
        shared = {**INFO.sources[1], "licence": "CC-BY-SA-4.0", "rights": {}}
        info = replace(INFO, sources=[INFO.sources[0], shared], sources_of={"": ["office"], "share": ["office"], "never": ["office"]})
        home = Home(tmp_path / "home")
        home.build(warehouses[0], info)
        assert "CC-BY-SA-4.0. A source decides it. Data sets that are not made from that source are under CC-BY-4.0." in text(
            home.public / "index.html"
        )
        women = text(home.public / "datasets" / "women" / "index.html")
        assert "CC-BY-4.0" in women
        assert "CC-BY-SA" not in women

    def test_description_stays_in_the_release(self, published: Home) -> None:
        about = json.loads((published.public / "releases" / SECOND / layout.PAGES).read_bytes())
        assert (about["version"], about["titles"]["cs"]) == (SECOND, "Ukázkové ukazatele")

    def test_is_accessible(self, published: Home) -> None:
        for path in pages(published.public):
            document = page(path)
            assert document.get("lang")
            assert len(document.xpath("//h1")) == 1, path
            assert document.xpath("//main")
            assert document.xpath("//meta[@name='viewport']")
            assert all(table.xpath("./caption") and table.xpath(".//th[@scope='col']") for table in document.xpath("//table"))
            levels = [int(heading.tag[1]) for heading in document.xpath("//h1 | //h2 | //h3")]
            assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
            ids = document.xpath("//@id")
            assert len(ids) == len(set(ids))
            assert not document.xpath("//@style | //style | //script[not(@src)]")

    def test_every_word_is_in_every_language(self) -> None:
        assert {name for name, texts in words.WORDS.items() if len(texts) != len(LANGUAGES) or not all(texts)} == set()

    def test_every_word_is_used(self) -> None:
        folder = PROJECT / "exports"
        files = [
            *(folder / "pages" / "templates").glob("*.j2"),
            folder / "pages" / "release_page.py",
            folder / "release" / "pointer_pages.py",
        ]
        texts = "".join(path.read_text(encoding="utf-8") for path in files)
        assert [name for name in words.WORDS if f'"{name}"' not in texts and f"'{name}'" not in texts] == []

    @pytest.mark.parametrize(
        ("count", "english", "czech"),
        [
            (0, "0 B", "0 B"),
            (999, "999 B", "999 B"),
            (1234, "1.2 kB", "1,2 kB"),
            (99_960, "100 kB", "100 kB"),
            (2_500_000_000, "2.5 GB", "2,5 GB"),
        ],
    )
    def test_sizes_are_written_as_the_language_does(self, count: int, english: str, czech: str) -> None:
        assert words.size(count, "en") == english.replace(" ", "\u00a0")
        assert words.size(count, "cs") == czech.replace(" ", "\u00a0")

    def test_periods_of_whole_years_are_years(self) -> None:
        assert words.period(("2001-01-01", "2024-12-31"), "en") == "2001–2024"
        assert words.period(("2024-01-01", "2024-12-31"), "cs") == "2024"
        assert words.period(("2024-03-01", "2024-12-31"), "en") == "1 March 2024 – 31 December 2024"


class TestHostilePack:
    @pytest.fixture(scope="class")
    def hostile(self, warehouses: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
        home = Home(tmp_path_factory.mktemp("hostile"))
        home.build(warehouses[0], HOSTILE)
        return home.public

    def test_texts_are_texts(self, hostile: Path) -> None:
        assert len(pages(hostile)) == 12
        for path in pages(hostile):
            content = path.read_text(encoding="utf-8")
            document = page(path)
            assert "alert(1)" in document.text_content()
            assert document.xpath("//script/@src") == (["latest.js"] if path.parent.name == "latest" else [])
            assert not document.xpath("//*[@onclick]")
            assert "\u202e" not in content
            assert "<script>" not in content.lower()

    def test_links_lead_to_web_pages_only(self, hostile: Path) -> None:
        for path in pages(hostile):
            schemes = {urlsplit(str(target)).scheme for target in page(path).xpath("//*[not(@rel='icon')]/@href | //@src")}
            assert schemes <= {"", "http", "https"}, path

    def test_policy_forbids_everything_else(self, hostile: Path) -> None:
        for path in pages(hostile):
            (policy,) = page(path).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
            assert policy.startswith("default-src 'none'; style-src 'self'")
            assert ("script-src" in policy) == (path.parent.name == "latest")

    @pytest.mark.parametrize(
        "address", ["javascript:alert(1)", "data:text/html,x", "//host/path", "https://", "ftp://host/", "https:host", "", " "]
    )
    def test_no_other_address_is_a_link(self, address: str) -> None:
        assert render.web(address) == ""

    def test_languages_that_cannot_be_names_have_no_page(self) -> None:
        assert render.page_languages(["cs", "../x", "en", "E N", "cs"]) == ["cs", "en"]
        assert render.page_languages(["/"]) == ["en"]


class TestCurrentRelease:
    def test_pages_follow_publication(self, home: Home) -> None:
        assert shown(home.public) == {SECOND}

    def test_pages_follow_rollback_and_withdrawal(self, home: Home) -> None:
        lifecycle.rollback(home.public, home.staging, FIRST, "wrong", NOW)
        assert shown(home.public) == {FIRST}
        assert "not current" in text(home.public / "index.html")
        lifecycle.rollback(home.public, home.staging, SECOND, "right", NOW)
        assert shown(home.public) == {SECOND}
        lifecycle.withdraw(home.public, home.staging, SECOND, "personal <b>data</b>", NOW)
        assert shown(home.public) == {FIRST}
        assert "withdrawn: personal <b>data</b>" in text(home.public / "index.html")

    def test_pages_follow_withdrawal_of_earlier_release(self, home: Home) -> None:
        lifecycle.withdraw(home.public, home.staging, FIRST, "personal data", NOW)
        assert shown(home.public) == {SECOND}
        assert "withdrawn: personal data" in text(home.public / "index.html")

    def test_removed_release_has_no_link(self, home: Home) -> None:
        lifecycle.prune(home.public, home.staging, 1, NOW)
        assert "files removed" in text(home.public / "index.html")
        assert f"releases/{FIRST}/index.html" not in targets(home.public / "index.html")

    def test_pin_changes_nothing_else(self, home: Home) -> None:
        before = pointers(home.public)
        lifecycle.pin(home.public, home.staging, FIRST, NOW)
        assert {name for name, content in pointers(home.public).items() if before[name] != content} == {"releases.json"}

    @pytest.mark.parametrize("number", range(1, 12))
    def test_next_command_completes_what_a_killed_one_left(self, home: Home, number: int) -> None:
        step = f"before os.replace {number}"
        script = LIFE.format(here=str(Path(__file__).parent), step=step, public=str(home.public), staging=str(home.staging), version=FIRST)
        done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        lifecycle.recover(home.public, home.staging)
        current = json.loads((home.public / "latest.json").read_bytes())["version"]
        assert shown(home.public) == {current} == {SECOND if number <= 2 else FIRST}

    def test_folder_of_earlier_version_gets_them_with_next_command(self, home: Home) -> None:
        wanted = pointers(home.public)
        for name in wanted:
            if name not in ("latest.json", "releases.json", "feed.atom"):
                (home.public / name).unlink()
        lifecycle.recover(home.public, home.staging)
        assert pointers(home.public) == wanted

    def test_release_of_earlier_version_has_its_readme(self, home: Home) -> None:
        release = home.public / "releases" / FIRST
        release.chmod(0o755)
        for name in ("index.html", "index.cs.html", "pages.json", "index.css"):
            (release / name).unlink()
        public_folder.recover(home.public, home.staging)
        assert f"releases/{FIRST}/README.md" in targets(home.public / "index.html")

    def test_page_of_somebody_else_stays(self, home: Home) -> None:
        own = home.public / "index.html"
        own.write_text("<!doctype html><title>The town</title>", encoding="utf-8")
        lifecycle.rollback(home.public, home.staging, FIRST, "wrong", NOW)
        assert "The town" in own.read_text(encoding="utf-8")
        assert FIRST in text(home.public / "index.cs.html")

    def test_page_in_former_language_goes(self, home: Home) -> None:
        former = home.public / "latest" / "index.sk.html"
        shutil.copy(home.public / "latest" / "index.html", former)
        (home.public / "latest" / "api.json").write_text("{}", encoding="utf-8")
        lifecycle.recover(home.public, home.staging)
        assert not former.exists()
        assert not (home.public / "latest" / "api.json").exists()

    def test_two_commands_in_one_second_differ(self, home: Home) -> None:
        for version in (FIRST, SECOND, FIRST):
            lifecycle.rollback(home.public, home.staging, version, "again", NOW)
            assert shown(home.public) == {version}

    def test_same_inputs_give_same_pages(self, published: Home, warehouses: tuple[Path, Path], tmp_path: Path) -> None:
        again = Home(tmp_path)
        again.build(warehouses[0])
        again.build(warehouses[1], later(1))
        assert pointers(again.public) == pointers(published.public)

    def test_nothing_before_first_release(self, tmp_path: Path) -> None:
        (tmp_path / "public").mkdir()
        (tmp_path / "work").mkdir()
        public_folder.recover(tmp_path / "public", tmp_path / "work")
        assert pointers(tmp_path / "public") == {}


class TestDataSets:
    def test_page_describes_data_set(self, published: Home) -> None:
        folder = published.public / "datasets" / "women"
        english = text(folder / "index.html")
        (title,) = page(folder / "index.html").xpath("//h1")
        assert title.text_content() == INFO.topics[0].titles["en"]
        for said in (
            SECOND,
            "Czechia",
            "Example office",
            "CC-BY-4.0",
            "Data dictionary",
            "How to cite",
            "Last changed",
            f"{INFO.base_uri}datasets/women",
        ):
            assert said in english, said
        assert f"../../releases/{SECOND}/csv/indicator_values/share.csv" in targets(folder / "index.html")

    def test_first_page_leads_to_all_of_them(self, published: Home) -> None:
        names = {path.name for path in (published.public / "datasets").iterdir()} - {"release"}
        assert {f"datasets/{name}/index.html" for name in names} <= set(targets(published.public / "index.html"))
        assert names == set(read_ledger(published.public).releases[-1].data_sets)

    def test_release_as_a_whole_is_first_page(self, published: Home) -> None:
        path = published.public / "datasets" / "release" / "index.cs.html"
        assert page(path).xpath("//meta[@http-equiv='refresh']/@content") == ["0; url=../../index.cs.html"]

    def test_feed_has_releases_in_which_data_set_changed(self, published: Home) -> None:
        feeds = {name: (published.public / "datasets" / name / "feed.atom").read_bytes() for name in ("women", "territory")}
        assert {name: _versions(content) for name, content in feeds.items()} == {"women": [FIRST], "territory": [SECOND, FIRST]}

    def test_feed_tells_rollback_and_withdrawal(self, home: Home) -> None:
        lifecycle.rollback(home.public, home.staging, FIRST, "wrong", NOW)
        lifecycle.rollback(home.public, home.staging, SECOND, "right", NOW)
        lifecycle.withdraw(home.public, home.staging, SECOND, "personal data", NOW)
        feeds = {name: (home.public / "datasets" / name / "feed.atom").read_bytes() for name in ("women", "territory")}
        assert _versions(feeds["women"]) == [FIRST]
        assert _versions(feeds["territory"]) == [f"{SECOND}-withdrawn", f"{SECOND}-rollback-4", f"{FIRST}-rollback-3", SECOND, FIRST]

    def test_former_data_set_keeps_its_address(self, home: Home, warehouses: tuple[Path, Path]) -> None:
        home.build(warehouses[0], replace(later(2), topics=[]))
        folder = home.public / "datasets" / "women"
        assert "does not have this data set any more" in text(folder / "index.html")
        assert f"../../releases/{SECOND}/index.html" in targets(folder / "index.html")
        assert all((folder / unquote(target)).resolve().is_file() for target in targets(folder / "index.html"))


def _versions(feed: bytes) -> list[str]:
    root = etree.fromstring(feed)
    found = [str(entry.findtext("{*}id")) for entry in root.iter("{http://www.w3.org/2005/Atom}entry")]
    assert all(id_.startswith(f"{INFO.base_uri}datasets/") for id_ in found)
    return [id_.partition("#")[2] for id_ in found]


class TestDescriptors:
    def test_name_files_of_one_release(self, published: Home) -> None:
        latest, release = published.public / "latest", published.public / "releases" / SECOND
        for name in ("catalog.ttl", "catalog.jsonld"):
            assert (latest / name).read_bytes() == (release / name).read_bytes()
        package = json.loads((latest / "datapackage.json").read_bytes())
        own = json.loads((release / "datapackage.json").read_bytes())
        for there, here in zip(package["resources"], own["resources"], strict=True):
            paths = (there["path"], here["path"]) if isinstance(here["path"], list) else ([there["path"]], [here["path"]])
            assert paths[0] == [f"{INFO.base_uri}releases/{SECOND}/{path}" for path in paths[1]]
        assert package | {"resources": []} == own | {"resources": []}

    def test_are_left_out_without_base_uri(self, warehouses: tuple[Path, Path], tmp_path: Path) -> None:
        home = Home(tmp_path)
        home.build(warehouses[0], replace(INFO, base_uri=""))
        assert sorted(path.name for path in (home.public / "latest").iterdir()) == ["index.cs.html", "index.html", "latest.js"]
        for path in pages(home.public):
            assert all((path.parent / unquote(target)).resolve().is_file() for target in targets(path))

    def test_no_other_data_lies_in_latest(self, published: Home) -> None:
        names = {path.name for path in (published.public / "latest").iterdir()}
        assert names <= {"index.html", "index.cs.html", "latest.js", *layout.LATEST_DESCRIPTORS}


def test_ledger_is_not_changed_by_pages(home: Home) -> None:
    before = read_ledger(home.public)
    lifecycle.recover(home.public, home.staging)
    assert read_ledger(home.public) == before


class TestUnits:
    @pytest.mark.parametrize(
        ("units", "shown"),
        [({"en": "per person", "cs": "na osobu"}, ["per person", "na osobu"]), ({"en": "1", "cs": "1"}, ["", ""]), ({}, ["", ""])],
    )
    def test_stand_beside_each_indicator_in_the_language_of_the_page(self, units: dict[str, str], shown: list[str]) -> None:
        facts = Facts(indicators={"share": {"en": "Share of women", "cs": "Podíl žen"}}, units={"share": units})
        made = release_page.descriptor(release_sample.context(facts=facts))
        cells = [html.fromstring(made[path]).xpath("//tr[th/code = 'share']/td[1]") for path in ("index.html", "index.cs.html")]
        assert [cell.text_content() for (cell,) in cells] == shown

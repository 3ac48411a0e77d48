"""A pack that wants to harm the readers of its release and of its site: what it declares and what its data say is text, and nothing else.

One run serves all tests: names of ten thousand letters, markup, formulas, and what ends a text of Turtle, XML, JSON, YAML or Markdown.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import duckdb
import polars as pl
import pytest
import rdflib
import yaml
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page

from exports.push import ckan_fields
from exports.push.push_plan import select_release
from tests.conftest import current_release
from tests.support import browser as browsers
from tests.support import five_places, static_server
from tests.support.command import EPOCH, zpo2
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

SCRIPT = "<script>window.harmed=1;alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
BROKEN = "\\\"'><svg onload=alert(3)>]]>--></title></script>"
MARKDOWN = "[mark](javascript:alert(10)) ![x](data:text/html,x) | `code` **bold** [^1] <http://x.invalid>"
STATEMENT = '" . <urn:x> <urn:y> "z'
LONG = "Nejdelší" + "jménovšechmístnasvětě" * 480
"""A name of more than 10,000 letters without a blank."""
ADDRESS = "https://y.invalid/'onload=alert(8)//<script>alert(11)</script>?a=1&b=javascript:alert(12)"
"""An address that `zpo2 check` takes; it refuses `javascript:` and `data:` (`tests.hostile.declarations`)."""
FORMULA = "=cmd|'/C calc'!A0"
OVERRIDE = "\u202eeverse\u202d"
MARKS = "Z" + "\u0301" * 300
AREAS_CSV = f"""\
code,name,level,orp,okres,state
a1,{SCRIPT}Alder,lau,R1,O1,
a2,{IMAGE}Birch,lau,R1,O1,
a3,{LONG},lau,R2,O1,
a4,Dog{OVERRIDE}wood \u2066{MARKS}\u2069,lau,R2,O2,
a5,"=HYPERLINK(""javascript:alert(4)"")",lau,R2,O2,
R1,"North"" onmouseover=""alert(5)",orp,,,S
R2,{{{{constructor.constructor('alert(6)')()}}}},orp,,,S
O1,</title><script>alert(7)</script>,okres,,,S
O2,{FORMULA},okres,,,S
S,{IMAGE}State,nuts0,,,
"""


def _quoted(text: str) -> str:
    """Return a text as YAML."""
    return json.dumps(text, ensure_ascii=False)


PACK = (
    five_places.PACK.replace(
        "title: Five places", f"title: {{en: {_quoted(SCRIPT + 'Five' + MARKDOWN)}, cs: {_quoted(LONG)}}}\nlanguages: [en, cs]"
    )
    .replace("publisher: {name: Somebody}", f"publisher: {{name: {_quoted(SCRIPT + STATEMENT + LONG)}, iri: {_quoted(ADDRESS)}}}")
    .replace("{id: nuts0}", f"{{id: nuts0, title: {{en: {_quoted(FORMULA + BROKEN)}, cs: {_quoted(LONG)}}}}}")
    .replace(
        "formats: [",
        f"site:\n  title: {{en: {_quoted(SCRIPT + 'Five')}, cs: {_quoted(IMAGE + LONG)}}}\n  texts: {{en: {{nav.place: {_quoted(IMAGE)}}}}}\n"
        f"topics:\n  - id: people\n    title: {{en: {_quoted(BROKEN + STATEMENT)}, cs: {_quoted(LONG)}}}\n"
        f"    description: {{en: {_quoted(MARKDOWN)}, cs: {_quoted(LONG)}}}\n"
        f"    keywords: {{en: [{_quoted(BROKEN)}], cs: [{_quoted(LONG)}]}}\n    indicators: [women_share, population]\nformats: [",
    )
)
INDICATORS = (
    five_places.INDICATORS.replace("{en: Share of women}", f"{{en: {_quoted(SCRIPT + BROKEN + 'Share')}, cs: {_quoted(LONG)}}}")
    .replace("title: Population", f"title: {{en: {_quoted(FORMULA + IMAGE + 'People')}, cs: {_quoted(MARKDOWN + STATEMENT)}}}")
    .replace("unit: persons", f"unit: {{en: {_quoted(BROKEN)}, cs: {_quoted(LONG)}}}")
    .replace('unit: "1"', f"unit: {_quoted(IMAGE)}")
    .replace("needed: a survey of households", f"needed: {{what: {_quoted(SCRIPT + 'survey')}, supplier: {_quoted(IMAGE)}}}")
)
INDEX = five_places.INDEX.replace("title: Wellbeing", f"title: {{en: {_quoted(MARKDOWN)}, cs: {_quoted(LONG)}}}")
SOURCE = (
    five_places.PEOPLE.replace("title: People", f"title: {_quoted(SCRIPT + 'People' + MARKDOWN)}")
    .replace(
        "publisher: Office",
        f"publisher: {_quoted(IMAGE + LONG)}\nhomepage: {_quoted(ADDRESS)}\nlicence_url: {_quoted(ADDRESS)}\n"
        f"citation: {_quoted(MARKDOWN + BROKEN + STATEMENT)}\nrights: {_quoted(SCRIPT + MARKDOWN + LONG)}\n"
        f"carrier: {{name: {_quoted(MARKDOWN)}, homepage: {_quoted(ADDRESS)}}}",
    )
    .replace("licence: CC0-1.0", "licence: NOASSERTION")
)
CHANGES = {
    "pack_yml": PACK, "indicators__all_yml": INDICATORS, "indices__wellbeing_yml": INDEX, "data__areas_csv": AREAS_CSV, "sources__people_yml": SOURCE,
}  # fmt: skip
HARM = "window.harmed === undefined && document.querySelectorAll('main script, main iframe, main object, [onerror], [onload]').length === 0"
ADDRESSES = "[...document.querySelectorAll('[href], [src]')].map(own => own.getAttribute('href') ?? own.getAttribute('src'))"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile-site")
    pack = five_places.write(root / "pack", **CHANGES)
    done = zpo2("run", "--pack", pack, "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(root / "home")


@pytest.fixture(scope="module")
def base(release: Path) -> Iterator[str]:
    with static_server.serving(release) as address:
        yield address


TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
SAFE = ("https://", "http://", "mailto:", "data:image/svg+xml,%3Csvg")
FORMULA_START = re.compile(r"[=@\t\r]|[+-](?![0-9.])")


class Markup(HTMLParser):
    """The elements of a page, with the attributes that could run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "iframe", "object", "embed", "base", "form"):
            self.scripts.append(values.get("src"))
        self.handlers += [name for name in values if name.startswith("on") or name == "style"]
        self.addresses += [values[name] or "" for name in ("href", "src") if name in values]


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in maps and lists inside each other."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


class TestFiles:
    def test_no_file_has_signs_that_turn_the_direction_of_text(self, release: Path) -> None:
        for path in sorted(release.parents[1].rglob("*")):
            if not path.is_file() or "/site/assets/" in path.as_posix() or path.suffix in (".parquet", ".duckdb"):
                continue
            if path.suffix == ".xlsx":
                with zipfile.ZipFile(path) as book:
                    texts = [book.read(name).decode() for name in book.namelist()]
            else:
                texts = [path.read_text(encoding="utf-8")]
            assert not any(TURNING.search(text) or re.search(r"\\u20(2[a-eA-E]|6[6-9])", text) for text in texts), path.name

    def test_a_name_keeps_four_marks_on_a_letter(self, release: Path) -> None:
        names = pl.read_parquet(release / "parquet" / "areas.parquet")["name"].to_list()
        [name] = [name for name in names if "everse" in name]
        assert name.startswith("Dogeversewood ")
        assert len(re.findall("\u0301", name)) <= 4
        assert LONG in names

    def test_pages_without_a_script_run_nothing(self, release: Path) -> None:
        public = release.parents[1]
        for path in sorted(public.rglob("*.html")):
            page = Markup(path.read_text(encoding="utf-8"))
            assert page.handlers == [], path.name
            assert [own for own in page.scripts if own is None or re.match(r"[a-z]+:", own)] == [], path.name
            foreign = [own for own in page.addresses if re.match(r"\s*[a-zA-Z][a-zA-Z0-9+.-]*:", own) and not own.startswith(SAFE)]
            assert foreign == [], path.name
            assert len(path.read_bytes()) < 1_000_000

    def test_no_cell_is_a_formula(self, release: Path) -> None:
        for path in sorted(release.rglob("*.csv")):
            delimiter = ";" if path.parent.name == "csv_locale" else ","
            for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), delimiter=delimiter):
                assert not any(FORMULA_START.match(cell) for cell in row), (path.name, row)
        for path in release.glob("*.xlsx"):
            with zipfile.ZipFile(path) as book:
                assert not any(re.search(rb"<f[ >]|<hyperlink|oleObject|externalLink", book.read(name)) for name in book.namelist()), (
                    path.name
                )

    def test_documents_are_well_formed_and_say_what_the_pack_says(self, release: Path) -> None:
        for path in sorted((*release.rglob("*.json"), *release.rglob("*.jsonld"))):
            json.loads(path.read_bytes())
        for path in (*release.rglob("*.xml"), release.parents[1] / "feed.atom"):
            ET.parse(path)
        for path in sorted(release.rglob("*.ttl")):
            graph = rdflib.Graph().parse(path, format="turtle")
            assert rdflib.URIRef("urn:x") not in set(graph.all_nodes()), path.name
        citation = yaml.safe_load((release / "CITATION.cff").read_text(encoding="utf-8"))
        assert citation["title"] == SCRIPT + "Five" + MARKDOWN
        [author] = citation["authors"]
        assert author["name"] == SCRIPT + STATEMENT + LONG
        assert unquote(author["website"]) == ADDRESS
        catalogue = rdflib.Graph().parse(release / "catalog.ttl", format="turtle")
        assert SCRIPT + STATEMENT + LONG in {str(name) for name in catalogue.objects(None, rdflib.FOAF.name)}

    def test_no_statement_has_an_address_that_runs_something(self, release: Path) -> None:
        for path in sorted(release.rglob("*.ttl")):
            graph = rdflib.Graph().parse(path, format="turtle")
            nodes = [str(node) for node in (*graph.all_nodes(), *graph.predicates()) if isinstance(node, rdflib.URIRef)]
            assert [node for node in nodes if node.lower().startswith(("javascript:", "data:", "vbscript:"))] == [], path.name

    def test_markdown_has_neither_html_nor_links_of_the_pack(self, release: Path) -> None:
        for name in ("README.md", "README.cs.md", "CHANGELOG.md", "llms.txt"):
            parsed = MarkdownIt("commonmark").enable("table").parse((release / name).read_text(encoding="utf-8"))
            tokens = [token for outer in parsed for token in (outer, *(outer.children or ()))]
            assert [token.content for token in tokens if token.type in ("html_inline", "html_block", "image")] == [], name
            links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
            assert [link for link in links if "x.invalid" in link or re.match("(javascript|data):", link)] == [], name

    def test_a_portal_gets_no_address_that_runs_something(self, release: Path) -> None:
        """The names of tags are what CKAN takes: 100 letters, digits and a few signs."""
        datasets = ckan_fields.datasets(select_release(release.parents[1], None))
        texts = [text for dataset in datasets for text in _texts(asdict(dataset))]
        assert [text for text in texts if re.match(r"\s*(javascript|data|vbscript):", text)] == []
        assert all(re.fullmatch(r"[\w .-]{2,100}", tag) for dataset in datasets for tag in dataset.tags)

    def test_the_database_has_the_texts_as_they_are(self, release: Path) -> None:
        with duckdb.connect(str(release / "indicators.duckdb"), read_only=True) as connection:
            names = {name for (name,) in connection.execute("select name from areas").fetchall()}
        assert {f"{SCRIPT}Alder", f"'{FORMULA}", LONG} <= names


def _opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(own => { own.open = true })")
    page.wait_for_timeout(100)


@pytest.mark.parametrize("language", ["en", "cs"])
def test_texts_of_a_pack_and_of_its_data_do_nothing(browser: Browser, release: Path, base: str, language: str) -> None:
    """A dialog, a message or a request to another host is a complaint of the watched page."""
    views = Views(release)
    paths = {**views.kinds(), **{code: view("place", area=code) for code in views.areas["areas"]["code"]}}
    for own in views.indicators:
        paths[own["indicator"]] = view("indicator", indicator=own["indicator"])
    with browsers.watched(browser, base, width=320, language=language) as watched:
        for name, path in paths.items():
            page = watched.open(f"site/{language}/{path}")
            _opened(page)
            assert page.evaluate(HARM), name
            addresses = page.evaluate(ADDRESSES)
            assert [own for own in addresses if own.strip().lower().startswith(("javascript:", "vbscript:", "data:text"))] == [], name
            assert page.locator("h1:visible").count() == 1, name
            assert browsers.sideways(page) == 0, name
            watched.assert_silent()


def test_a_hostile_name_is_shown_as_it_is_written(browser: Browser, base: str) -> None:
    with browsers.watched(browser, base, language="en") as watched:
        page = watched.open(f"site/en/{view('place', area='a1')}")
        assert f"{SCRIPT}Alder" in page.inner_text("h1")
        assert SCRIPT in page.title()
        page = watched.open("site/en/place.html?area=%3Cscript%3Ealert(9)%3C/script%3E", state=None)
        page.locator("h1:visible").wait_for()
        assert page.evaluate(HARM)


def test_signs_that_turn_the_direction_of_text_reach_no_page(browser: Browser, base: str) -> None:
    """They would turn what stands after a name, such as a number."""
    with browsers.watched(browser, base, language="cs") as watched:
        for path in (view("place", area="a4"), view("indicator", indicator="population"), "place.html"):
            page = watched.open(f"site/cs/{path}")
            _opened(page)
            assert "everse" in page.content()
            assert page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.outerHTML)") is False, path

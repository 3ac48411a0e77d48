"""Every address of a release of packs/demo leads somewhere: on a server that only sends files, at its root and in a folder, and on `zpo2 serve`.

The crawler begins at the first page and follows links, and it asks for every address below `base_uri` that a catalogue, a feed, a descriptor
or a page names. `base_uri` stands for the address of the server.
"""

from __future__ import annotations

import functools
import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from lxml import html

from exports.serve.app import application
from tests.support.command import PROJECT

pytestmark = pytest.mark.acceptance

BASE = "https://data.example.org/zpo2/demo/"
NAMED = re.compile(re.escape(BASE) + r"[^\s\"'<>()\\|`]*")
TEXTS = (".ttl", ".jsonld", ".json", ".atom", ".md", ".cff", ".html")
PLAIN = ("csv/", "jsonstat/", "sdmx/", "geo/")
"""Folders of data, which name no addresses."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def files_only(root: Path) -> Iterator[str]:
    """Serve a folder as `python -m http.server` does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def public(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public folder of the demo, with this release alone, in a folder of a server."""
    root = tmp_path_factory.mktemp("server")
    folder = root / "open" / "data"
    source = demo_release.parents[1]
    others = [path.name for path in (source / "releases").iterdir() if path.name != demo_release.name]
    shutil.copytree(source, folder, symlinks=True, ignore=lambda path, _: others if path == str(source / "releases") else [])
    return folder


def fetch(address: str) -> tuple[int, str]:
    """Return status and media type of an address, after redirects."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            answer.read()
            return answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, ""


def named_addresses(public: Path) -> set[str]:
    """Return the paths below `base_uri` that the files name, without fragments."""
    found = set()
    for path in public.rglob("*"):
        relative = path.relative_to(public).as_posix()
        within = relative.split("/", 2)[2] if relative.startswith("releases/") and relative.count("/") > 1 else relative
        if path.is_file() and path.name.endswith(TEXTS) and not within.startswith(PLAIN):
            found |= {
                urldefrag(address).url.removeprefix(BASE).rstrip(".,;:") for address in NAMED.findall(path.read_text(encoding="utf-8"))
            }
    return {address for address in found if "{" not in address}


def crawled(start: str) -> dict[str, int]:
    """Return the status of every address below `start` that pages lead to."""
    statuses: dict[str, int] = {}
    waiting = [start]
    while waiting:
        address = waiting.pop()
        if address in statuses:
            continue
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                content, kind, final = answer.read(), answer.headers.get_content_type(), answer.url
                statuses[address] = answer.status
        except urllib.error.HTTPError as error:
            statuses[address] = error.code
            continue
        if kind == "text/html":
            document: Any = html.fromstring(content)
            links = [urldefrag(urljoin(final, str(link))).url for link in document.xpath("//@href | //@src")]
            waiting += [link for link in links if link.startswith(start)]
    return statuses


@pytest.mark.parametrize("folder", ["", "open/data/"], ids=["root", "folder"])
def test_every_link_of_a_page_is_there(public: Path, folder: str) -> None:
    with files_only(public.parents[1] if folder else public) as server:
        statuses = crawled(server + folder)
    assert {address: status for address, status in statuses.items() if status != 200} == {}
    release = next((public / "releases").iterdir())
    reached = {urlsplit(address).path for address in statuses}
    unlinked = ("/api/v1/", "/site/data/", "/site/assets/share-")  # what programs read, and pictures that only their address leads to
    files = {path.relative_to(public).as_posix() for path in release.rglob("*") if path.is_file()}
    files = {path for path in files if not any(part in path for part in unlinked)}
    assert {f"/{folder}{path}" for path in files} - reached <= {f"/{folder}releases/{release.name}/pages.json"}, "every file is reached"
    assert any(f"/{folder}datasets/" in path for path in reached)


@pytest.mark.parametrize("folder", ["", "open/data/"], ids=["root", "folder"])
def test_every_address_that_a_file_names_is_there(public: Path, folder: str) -> None:
    named = named_addresses(public)
    assert len(named) > 200
    with files_only(public.parents[1] if folder else public) as server:
        faults = {path: status for path in sorted(named) if (status := fetch(f"{server}{folder}{path}")[0]) != 200}
    assert faults == {}


def test_every_address_that_a_file_names_is_there_on_zpo2_serve(public: Path) -> None:
    from starlette.testclient import TestClient

    with TestClient(application(public)) as client:
        faults = {path: status for path in sorted(named_addresses(public)) if (status := client.get(f"/{path}").status_code) != 200}
    assert faults == {}


def test_the_address_of_a_data_set_is_its_page(public: Path) -> None:
    names = sorted(path.name for path in (public / "datasets").iterdir())
    assert len(names) > 5
    catalogue = (public / "latest" / "catalog.ttl").read_text(encoding="utf-8")
    with files_only(public) as server:
        for name in names:
            assert f"<{BASE}datasets/{name}>" in catalogue
            assert fetch(f"{server}datasets/{name}") == (200, "text/html")


def test_addresses_of_the_pack_are_those_of_this_test() -> None:
    assert f"base_uri: {BASE}\n" in (PROJECT / "packs" / "demo" / "pack.yml").read_text(encoding="utf-8")

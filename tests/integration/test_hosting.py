"""A release over HTTP: the same assertions hold of `zpo2 serve` and of nginx with docs/operations/nginx.conf.

nginx is Debian's, started here on loopback in a folder of its own. Where there is none it is installed in CI, by root; elsewhere these
tests are skipped for nginx, and the message says what to install.
"""

from __future__ import annotations

import gzip
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html

from exports.model import checksums
from exports.release import lifecycle, public_folder
from exports.release.entries import Entry
from tests.support import debian
from tests.support.command import PROJECT, start
from tests.support.copies import to_spoil

EXAMPLE = PROJECT / "docs" / "operations" / "nginx.conf"
START_SECONDS = 60.0
FIRST, SECOND = "2025.10.1", "2025.10.2"
LARGE = 100_000  # rows
CACHE_FOREVER = "public, max-age=31536000, immutable"
KINDS = {  # by the end of a path, the longer ones first
    "structure.xml": "application/vnd.sdmx.structure+xml; version=3.0.0",
    "csv-metadata.json": "application/csvm+json",
    "SHA256SUMS": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".parquet": "application/vnd.apache.parquet",
    ".duckdb": "application/octet-stream",
    ".jsonld": "application/ld+json",
    ".json": "application/json",
    ".ttl": "text/turtle; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".cff": "application/yaml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
COMPRESSED = (".json", ".jsonld", ".geojson", ".html", ".css", ".js")
SMALLEST = 1_000
"""Bytes of a text that is worth compressing."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """A server of a home with two releases, the second of which is current."""

    name: str
    home: Path
    port: int
    sizes: list[int] = field(default_factory=list)

    @property
    def public(self) -> Path:
        return self.home / "public"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            self.sizes.append(len(body))
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
        finally:
            connection.close()

    def file(self, path: str = "csv/areas.csv", version: str = FIRST) -> tuple[str, bytes]:
        """Return the address and the content of a file of a release."""
        return f"/releases/{version}/{path}", (self.public / "releases" / version / path).read_bytes()


@pytest.fixture(scope="module")
def home(five_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two releases, the second with another README."""
    root = tmp_path_factory.mktemp("hosting")
    shutil.copytree(five_home.parent / "pack", root / "pack")
    place = shutil.copytree(five_home, root / "home", symlinks=True, ignore=shutil.ignore_patterns("dagster", "dbt", "*.duckdb.wal"))
    work = place / "staging" / "hosting"
    work.mkdir(parents=True)
    known, _ = public_folder.recover(place / "public", work)
    folder = to_spoil(place / "public" / "releases" / FIRST, work / "release")
    (folder / "README.md").write_text("# The second\n", encoding="utf-8")
    shutil.copytree(folder / "site" / "en", folder / "site" / "cs")
    (folder / "site" / "assets" / "logo-0123456789ab.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "geo").mkdir(exist_ok=True)
    (folder / "geo" / "areas.geojson").write_text('{"type": "FeatureCollection", "features": []}\n', encoding="utf-8")
    # as large as tables of a whole country are: small files are read at once
    noise = pa.table({name: pa.array([hash((name, n)) for n in range(LARGE)]) for name in ("one", "two", "three", "four")})
    pq.write_table(noise, folder / "parquet" / "large.parquet", row_group_size=LARGE // 4)
    (folder / checksums.NAME).unlink()
    checksums.write(folder, {})
    public_folder.publish(folder, Entry(SECOND, "2025-10-10T00:00:00Z", "", "second", {}), known, place / "public", work)
    return place


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def zpo2_serve(home: Path) -> Iterator[Site]:
    port = free_port()
    process = start("serve", "--pack", home.parent / "pack", "--home", home, "--port", str(port))
    try:
        yield until_it_answers(Site("zpo2 serve", home, port), process)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def nginx(home: Path) -> Iterator[Site]:
    if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        debian.install("nginx-light")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no nginx: apt-get install nginx-light (with CI set, root does it here)")
    port = free_port()
    text = EXAMPLE.read_text(encoding="utf-8")
    for there, here in (("listen 80;", f"listen 127.0.0.1:{port};"), ("/var/lib/zpo2/public", str(home / "public"))):
        assert there in text
        text = text.replace(there, here)
    folder = Path(tempfile.mkdtemp(prefix="zpo2-nginx-"))
    try:
        (folder / "zpo2.conf").write_text(text, encoding="utf-8")
        (folder / "nginx.conf").write_text(
            # as a distribution's own configuration may have it: with compression of everything, which the example has to keep away
            f"""{"user root;" if os.geteuid() == 0 else ""}
            daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
            events {{}}
            http {{
                access_log off; gzip on; gzip_types *; gzip_proxied any; client_body_temp_path {folder}; proxy_temp_path {folder};
                fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
                include {folder}/zpo2.conf;
            }}""",
            encoding="utf-8",
        )
        words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        tested = subprocess.run([*words, "-t"], capture_output=True, text=True, timeout=60, check=False)
        assert tested.returncode == 0, tested.stderr
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield until_it_answers(Site("nginx", home, port), process)
        finally:
            process.terminate()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def until_it_answers(site: Site, process: subprocess.Popen[str]) -> Site:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            site.ask("/latest.json")
            return site
        except OSError:
            assert process.poll() is None, process.stdout.read() if process.stdout else "the server ended"
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.05)


@pytest.fixture(scope="module", params=[zpo2_serve, nginx], ids=["serve", "nginx"])
def site(request: pytest.FixtureRequest, home: Path) -> Iterator[Site]:
    with request.param(home) as running:
        yield running


def test_every_file_of_a_release_has_its_bytes_and_its_media_type_for_ever(site: Site) -> None:
    release = site.public / "releases" / SECOND
    files = sorted(p for p in release.rglob("*") if p.is_file())
    met = set()
    for path in files:
        answer = site.ask(f"/releases/{SECOND}/{path.relative_to(release).as_posix()}", Accept_Encoding="gzip, br")
        ending = next(end for end in KINDS if path.name.endswith(end))
        met.add(ending)
        assert (answer.status, answer.headers["content-type"]) == (200, KINDS[ending]), path
        assert answer.headers["cache-control"] == CACHE_FOREVER, path
        if ending in COMPRESSED and path.stat().st_size >= SMALLEST:
            assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding"), path
            assert len(answer.body) < path.stat().st_size, path
            assert gzip.decompress(answer.body) == path.read_bytes(), path
            continue
        assert "content-encoding" not in answer.headers, path
        assert answer.headers["content-length"] == str(path.stat().st_size), path
        assert answer.body == path.read_bytes(), path
    assert met == set(KINDS), "each kind was met"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0, br"])
def test_text_is_sent_as_it_is_to_who_does_not_read_gzip(site: Site, accepted: str) -> None:
    address, content = site.file("datapackage.json")
    answer = site.ask(address, Accept_Encoding=accepted)
    assert (answer.status, answer.body) == (200, content)
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding", "a cache must keep both"


def test_compressed_text_has_a_validator_that_is_of_no_other_form(site: Site) -> None:
    address, content = site.file("datapackage.json")
    plain, packed = site.ask(address), site.ask(address, Accept_Encoding="gzip")
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "accept-ranges" not in packed.headers
    again = site.ask(address, Accept_Encoding="gzip", If_None_Match=packed.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert site.ask(address, Range="bytes=0-9").body == content[:10]


def test_the_start_leads_to_the_site_in_the_language_of_the_reader(site: Site) -> None:
    for accepted, language in (("cs-CZ,cs;q=0.9,en;q=0.5", "cs"), ("en-GB", "en")):
        answer = site.ask("/?x=1", Accept_Language=accepted)
        assert (answer.status, answer.headers["location"]) == (307, f"/releases/{SECOND}/site/{language}/index.html?x=1")
        assert answer.headers["cache-control"] == "no-cache"
        assert site.ask(answer.headers["location"]).status == 200
    unknown: tuple[dict[str, str], ...] = ({}, {"Accept_Language": "fi"}, {"Accept_Language": "../.."})
    for headers in unknown:
        answer = site.ask("/", **headers)
        assert answer.status == 307
        assert re.fullmatch(f"/releases/{re.escape(SECOND)}/site/(en/)?index.html", answer.headers["location"])


def test_without_a_site_the_start_is_the_page_of_releases(site: Site) -> None:
    folder = site.public / "releases" / SECOND
    folder.chmod(0o755)
    aside = (folder / "site").rename(folder / "aside")
    try:
        answer = site.ask("/", Accept_Language="cs")
        assert (answer.status, answer.body) == (200, (site.public / "index.html").read_bytes())
    finally:
        aside.rename(folder / "site")


@pytest.mark.parametrize("name", ["latest.json", "releases.json", "feed.atom"])
def test_what_changes_is_asked_for_each_time(site: Site, name: str) -> None:
    answer = site.ask(f"/{name}")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["content-type"] == ("application/atom+xml" if name == "feed.atom" else "application/json")
    assert answer.body == (site.public / name).read_bytes()


def test_a_file_has_a_strong_etag_and_is_not_sent_twice(site: Site) -> None:
    address, content = site.file()
    first = site.ask(address)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert re.fullmatch(r'"[^"]+"', etag), "a weak one would forbid ranges"
    for condition in ({"If_None_Match": etag}, {"If_None_Match": f'"other", {etag}'}, {"If_Modified_Since": modified}):
        again = site.ask(address, **condition)
        assert (again.status, again.body) == (304, b""), condition
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == CACHE_FOREVER
    assert site.ask(address, If_None_Match='"other"').body == content
    assert site.ask(site.file("csv/sources.csv")[0]).headers["etag"] != etag


def test_the_feed_is_not_sent_twice(site: Site) -> None:
    etag = site.ask("/feed.atom").headers["etag"]
    assert site.ask("/feed.atom", If_None_Match=etag).status == 304


def test_head_says_what_get_would(site: Site) -> None:
    address, _ = site.file("parquet/areas.parquet")
    get, head = site.ask(address), site.ask(address, "HEAD")
    assert (head.status, head.body) == (200, b"")
    fixed = ("content-type", "content-length", "etag", "last-modified", "accept-ranges", "cache-control", "access-control-allow-origin")
    assert {name: head.headers[name] for name in fixed} == {name: get.headers[name] for name in fixed}
    assert head.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "begin", "end"), [("0-0", 0, 1), ("3-9", 3, 10), ("10-", 10, None), ("-7", -7, None), ("5-999999999", 5, None)]
)
def test_a_range_is_a_part_of_the_file(site: Site, wanted: str, begin: int, end: int | None) -> None:
    address, content = site.file("parquet/areas.parquet")
    answer = site.ask(address, Range=f"bytes={wanted}")
    part = content[begin:end]
    first = begin if begin >= 0 else len(content) + begin
    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(len(part))
    assert answer.headers["content-type"] == KINDS[".parquet"]
    assert answer.headers["etag"] == site.ask(address).headers["etag"]


def test_a_range_beyond_the_end_is_told(site: Site) -> None:
    address, content = site.file()
    answer = site.ask(address, Range=f"bytes={len(content)}-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")
    if site.name != "nginx":  # which says how long to keep an answer before it looks at the range; caches do not keep this one
        assert "immutable" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "rows=0-1"])
def test_what_is_no_single_range_of_bytes_gets_the_whole_file(site: Site, wanted: str) -> None:
    address, content = site.file()
    answer = site.ask(address, Range=wanted)
    assert (answer.status, answer.body) == (200, content)


@pytest.mark.parametrize("wanted", ["bytes=9-2", "bytes=a-b", "bytes=", "bytes=-", "bytes", "bytes=1_0-2_0"])
def test_a_range_that_is_none_does_no_harm(site: Site, wanted: str) -> None:
    address, content = site.file()
    answer = site.ask(address, Range=wanted)
    assert answer.status == 416 or (answer.status, answer.body) == (200, content)


def test_a_download_is_resumed_only_of_the_same_file(site: Site) -> None:
    address, content = site.file()
    first = site.ask(address)
    for same in (first.headers["etag"], first.headers["last-modified"]):
        answer = site.ask(address, Range="bytes=4-", If_Range=same)
        assert (answer.status, answer.body) == (206, content[4:])
    for other in ('"other"', "Thu, 01 Jan 1970 00:00:00 GMT", f"W/{first.headers['etag']}"):
        answer = site.ask(address, Range="bytes=4-", If_Range=other)
        assert (answer.status, answer.body) == (200, content), other


class Ranges(io.RawIOBase):
    """A file that is read over HTTP, range by range, as remote readers of Parquet do."""

    def __init__(self, site: Site, address: str) -> None:
        super().__init__()
        self.site, self.address, self.place = site, address, 0
        self.length = int(site.ask(address, "HEAD").headers["content-length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.length}[whence]
        return self.place

    def read(self, size: int = -1) -> bytes:
        end = self.length if size < 0 else min(self.place + size, self.length)
        if end <= self.place:
            return b""
        answer = self.site.ask(self.address, Range=f"bytes={self.place}-{end - 1}")
        assert answer.status == 206
        self.place += len(answer.body)
        return answer.body


def test_a_parquet_file_is_read_by_ranges_and_no_more_of_it_than_is_needed(site: Site) -> None:
    address, content = site.file("parquet/large.parquet", SECOND)
    remote = pq.ParquetFile(pa.PythonFile(Ranges(site, address), mode="r"))
    local = pq.read_table(pa.BufferReader(content))
    assert remote.read().equals(local)
    site.sizes.clear()
    column = pq.ParquetFile(pa.PythonFile(Ranges(site, address), mode="r")).read_row_group(2, ["two"])
    assert column["two"].to_pylist() == local["two"].to_pylist()[LARGE // 2 : LARGE // 4 * 3]
    assert len(site.sizes) >= 3, "the length, the end of the file, the column"
    assert sum(site.sizes) < len(content) / 8, "one of sixteen chunks, and what leads there"


def test_the_metadata_of_a_table_are_found_from_its_file(site: Site) -> None:
    answer = site.ask(site.file()[0])
    assert answer.headers["link"] == '<csv-metadata.json>; rel="describedby"; type="application/csvm+json"'
    assert site.ask(f"{site.file()[0].rpartition('/')[0]}/csv-metadata.json").headers["content-type"] == "application/csvm+json"
    assert "link" not in site.ask("/latest.json").headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/latest.json", {}, 200), ("/feed.atom", {}, 200), (f"/releases/{FIRST}/csv/areas.csv", {}, 200), ("/latest/csv/areas.csv", {}, 307),
        (f"/releases/{FIRST}/csv/areas.csv", {"Range": "bytes=0-3"}, 206), (f"/releases/{FIRST}/csv/areas.csv", {"Range": "bytes=99999999-"}, 416),
        ("/nothing", {}, 404), (f"/releases/{FIRST}/nothing.csv", {}, 404),
    ],
)  # fmt: skip
def test_pages_of_any_origin_may_read_every_answer(site: Site, path: str, headers: dict[str, str], status: int) -> None:
    answer = site.ask(path, Origin="https://portal.example.org", **headers)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "*")
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"content-range", "content-length", "accept-ranges", "etag", "last-modified", "link", "location"} <= exposed
    if status == 404:
        assert "immutable" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("path", ["/latest.json", "/latest/csv/areas.csv", f"/releases/{FIRST}/parquet/areas.parquet"])
def test_a_preflight_question_allows_ranges(site: Site, path: str) -> None:
    asked = {
        "Origin": "https://portal.example.org",
        "Access_Control_Request_Method": "GET",
        "Access_Control_Request_Headers": "range,if-range",
    }
    answer = site.ask(path, "OPTIONS", **asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"range", "if-range", "if-none-match", "if-modified-since"} <= allowed
    assert answer.headers["access-control-max-age"] == "86400"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/latest.json", "/latest/", f"/releases/{FIRST}/csv/areas.csv"])
def test_nothing_can_be_written(site: Site, method: str, path: str) -> None:
    answer = site.ask(path, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    [
        "/.latest",
        "/.latest/README.md",
        f"/releases/{FIRST}/../../../home.json",
        "/..%2fhome.json",
        "/%2e%2e/home.json",
        "/releases/2020.01.1/",
    ],
)
def test_what_is_no_public_file_is_not_there(site: Site, path: str) -> None:
    assert site.ask(path).status in (400, 404)


def test_a_release_without_a_file_name_shows_its_page(site: Site) -> None:
    answer = site.ask(f"/releases/{FIRST}/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.body == (site.public / "releases" / FIRST / "index.html").read_bytes()


@pytest.mark.parametrize("path", ["/index.html", "/latest/index.html", "/latest/latest.js", "/index.css"])
def test_a_page_beside_the_releases_is_asked_for_each_time(site: Site, path: str) -> None:
    answer = site.ask(path)
    kind = next(kind for end, kind in KINDS.items() if path.endswith(end))
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (200, kind, "no-cache")
    assert answer.body == (site.public / path.lstrip("/")).read_bytes()
    assert site.name != "nginx" or not path.endswith(".html") or "etag" not in answer.headers, "its ETags do not tell two pages apart"


def test_latest_redirects_where_there_is_no_page(site: Site) -> None:
    """A folder of an earlier version of the software has no files in `latest`."""
    page = site.public / "latest" / "index.html"
    aside = page.rename(page.with_name("aside"))
    try:
        answer = site.ask("/latest/index.html?x=1")
        assert (answer.status, answer.headers["location"]) == (307, f"/releases/{SECOND}/index.html?x=1")
    finally:
        aside.rename(page)


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/latest/csv/areas.csv", "csv/areas.csv"), ("/latest/", ""), ("/latest/csv/a%20b%C4%8D.csv", "csv/a%20b%C4%8D.csv"),
        ("/latest/catalog.ttl?x=1&y=%2F", "catalog.ttl?x=1&y=%2F"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_latest_leads_into_the_current_release(site: Site, asked: str, leads_to: str, method: str) -> None:
    answer = site.ask(asked, method)
    assert answer.status == 307
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["location"] == f"/releases/{SECOND}/{leads_to}"


@pytest.mark.parametrize("path", ["/latest/a%0d%0aX-Evil:%201", "/latest/%0aX-Evil:%201?%0d%0aX-Evil:1"])
def test_a_path_adds_no_header_to_the_redirect(site: Site, path: str) -> None:
    answer = site.ask(path)
    assert answer.status in (307, 404)
    assert "x-evil" not in answer.headers


def test_while_releases_change_every_reader_is_led_into_one_that_is_whole(site: Site) -> None:
    """Readers ask all the time while `latest` is taken back and forth; after each move the next question leads to the new one."""
    wanted = {v: {n: (site.public / "releases" / v / n).read_bytes() for n in ("README.md", "SHA256SUMS")} for v in (FIRST, SECOND)}
    stop, faults, count = threading.Event(), [], [0]

    def read() -> None:
        while not stop.is_set():
            led = site.ask("/latest/README.md")
            where = led.headers.get("location", "")
            found = re.fullmatch(r"/releases/([^/]+)/README\.md", where)
            if led.status != 307 or not found or found[1] not in wanted:
                faults.append(f"{led.status} {where}")
                continue
            # who was led somewhere stays there
            for name, content in wanted[found[1]].items():
                if site.ask(where.replace("README.md", name)).body != content:
                    faults.append(f"{found[1]}/{name}")
            if json.loads(site.ask("/latest.json").body)["version"] not in wanted:
                faults.append("latest.json")
            count[0] += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(20):
            version = (FIRST, SECOND)[turn % 2]
            lifecycle.rollback(site.public, site.home / "staging", version, f"turn {turn}", datetime(2025, 11, 1, tzinfo=UTC))
            assert site.ask("/latest/").headers["location"] == f"/releases/{version}/"
            assert json.loads(site.ask("/latest.json").body)["version"] == version
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert count[0] > 20, "the readers were there"


def test_a_validator_of_latest_json_never_hides_a_change(site: Site) -> None:
    """Two releases within a second: the same size, the same second, another content."""
    before = site.ask("/latest.json")
    lifecycle.rollback(site.public, site.home / "staging", FIRST, "once more", datetime(2025, 11, 1, tzinfo=UTC))
    try:
        conditions = {"If_None_Match": before.headers["etag"]} if "etag" in before.headers else {}
        answer = site.ask("/latest.json", **conditions)
        assert (answer.status, json.loads(answer.body)["version"]) == (200, FIRST)
        if "last-modified" in before.headers and site.name == "nginx":
            assert site.ask("/latest.json", If_Modified_Since=before.headers["last-modified"]).status == 200
    finally:
        lifecycle.rollback(site.public, site.home / "staging", SECOND, "and back", datetime(2025, 11, 1, tzinfo=UTC))


def test_the_page_of_releases_names_the_feed(home: Path) -> None:
    with zpo2_serve(home) as site:
        page: Any = html.fromstring(site.ask("/index.html").body)
        (link,) = page.xpath("//link[@type='application/atom+xml']")
        assert site.ask(f"/{link.get('href')}").status == 200
        targets = {a.get("href") for a in page.iter("a")}
        assert {"latest.json", "releases.json", "feed.atom", *(f"releases/{v}/index.html" for v in (FIRST, SECOND))} <= targets


def test_where_there_is_no_page_the_releases_are_listed(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home.parent / "pack", tmp_path / "pack")
    (tmp_path / "home" / "public").mkdir(parents=True)
    for name in ("home.json", "public/releases.json", "public/latest.json"):
        shutil.copy(home / name, tmp_path / "home" / name)
    shutil.copytree(home / "public" / "releases" / FIRST, tmp_path / "home" / "public" / "releases" / FIRST)
    with zpo2_serve(tmp_path / "home") as site:
        targets = {a.get("href") for a in html.fromstring(site.ask("/").body).iter("a")}
        assert targets == {"latest/", "latest.json", "releases.json", "feed.atom", f"releases/{FIRST}/"}


@pytest.mark.parametrize("server", [zpo2_serve, nginx], ids=["serve", "nginx"])
def test_where_nothing_was_published_latest_is_not_there(home: Path, tmp_path: Path, server: Any) -> None:
    shutil.copytree(home.parent / "pack", tmp_path / "pack")
    (tmp_path / "home" / "public").mkdir(parents=True)
    shutil.copy(home / "home.json", tmp_path / "home")
    with server(tmp_path / "home") as site:
        for path in ("/latest/", "/latest/csv/areas.csv", "/latest.json"):
            assert site.ask(path).status == 404


def test_a_link_that_was_copied_as_a_file_leads_nowhere(home: Path, tmp_path: Path) -> None:
    """Who copies a home and follows links has a file there; nginx must not take it for a release, and the next run puts it right."""
    shutil.copytree(home.parent / "pack", tmp_path / "pack")
    shutil.copytree(home, tmp_path / "home")
    assert not (tmp_path / "home" / "public" / ".latest").is_symlink()
    with nginx(tmp_path / "home") as site:
        assert site.ask("/latest/csv/areas.csv").status == 404
        lifecycle.recover(site.public, site.home / "staging")
        assert site.ask("/latest/csv/areas.csv").status == 307

"""Fetching: which requests are sent, which responses become snapshots, and which are rejected with a reason."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http import network
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult, LastFetch, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.support import five_places
from tests.support.server import HttpRequest, Reply, Server, serving

BODY = b"code,name\n1,Alder\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


QUICK = Limits(backoff=0, retries=2, min_rate_after=0.2, read_timeout=2, max_retry_after=5, per_second=1000)


def fetch(folder: Path, url: str, last: LastFetch | None = None, expect: str = "", limits: Limits = QUICK, **settings: Any) -> FetchResult:
    """Fetch the source `areas` of a pack from `url`, even where a check of the pack would refuse it."""
    loads = url.startswith("http")
    declared_url = url if loads else "data/areas.csv"
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{declared_url}"{f", expect: {expect}" if expect else ""}}}')
    pack = packs.load(five_places.write(folder / "pack", sources__areas_yml=declared))
    source = pack.sources["areas"]
    if not loads:
        source = source.model_copy(update={"fetch": source.fetch.model_copy(update={"url": url})})
    part = next(iter(pack.parts(source)))
    request = Request(source, part, address(source, part), last or LastFetch())
    return fetch_all(
        pack, [request], Archive(folder / "archive"), Settings.model_validate({"allow_hosts": "127.0.0.1", **settings}), limits=limits
    )[0]


class TestLocalFiles:
    def test_mirror_replaces_the_network(self, tmp_path: Path) -> None:
        file = tmp_path / "mirror" / "data.example.org" / "far" / "a b.csv"
        file.parent.mkdir(parents=True)
        file.write_bytes(BODY)
        assert fetch(tmp_path, "https://data.example.org/far/a%20b.csv", mirror=tmp_path / "mirror").snapshot is not None
        assert "no such file" in (fetch(tmp_path, "https://data.example.org/other.csv", mirror=tmp_path / "mirror").error or "")
        assert "leads out" in (fetch(tmp_path, "https://data.example.org/../../pack/pack.yml", mirror=tmp_path / "mirror").error or "")

    @pytest.mark.parametrize("path", ["../secret.csv", "data/../../secret.csv", "link/secret.csv"])
    def test_path_stays_inside_the_pack(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "secret.csv").write_bytes(BODY)
        (tmp_path / "pack").mkdir()
        (tmp_path / "pack" / "link").symlink_to(tmp_path)
        assert "leads out of its folder" in (fetch(tmp_path, path).error or "")

    @pytest.mark.parametrize("url", ["http://[", "http://[zz]/", "https://data.example.org:x/"])
    def test_of_a_draft_may_be_no_address(self, tmp_path: Path, url: str) -> None:
        pack = packs.load(five_places.write(tmp_path / "pack"))
        areas = pack.sources["areas"]
        source = areas.model_copy(update={"fetch": areas.fetch.model_copy(update={"url": url})})
        [result] = fetch_all(pack, [Request(source, pack.parts(source)[0], url)], Archive(tmp_path / "archive"), Settings(), limits=QUICK)
        assert (result.error or "").startswith(f"{url}: not an address: ")

    @pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://data.example.org/a.csv"])
    def test_accepts_only_http_and_paths(self, tmp_path: Path, url: str) -> None:
        assert "expected http, https or a path" in (fetch(tmp_path, url).error or "")


class TestNetwork:
    def test_refuses_private_addresses(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY)]
        result = fetch(tmp_path, server.url + "/a.csv", allow_hosts="")
        assert "127.0.0.1 is 127.0.0.1, not a public address" in (result.error or "")
        assert server.requests == []

    def test_refuses_redirects_to_private_addresses(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})]
        assert "169.254.169.254 is 169.254.169.254, not a public address" in (fetch(tmp_path, server.url + "/a.csv").error or "")

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
         "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1", "::"],
    )  # fmt: skip
    def test_is_public_is_false_for_other_addresses(self, address: str) -> None:
        assert not network.is_public(address)

    def test_an_address_behind_nat64_is_as_public_as_the_one_in_it(self) -> None:
        assert network.is_public("64:ff9b::808:808")
        assert not network.is_public("64:ff9b::a9fe:a9fe")

    def test_allowed_address_checks_all_addresses_of_a_name(self) -> None:
        with pytest.raises(network.AddressNotAllowed, match=r"data\.example\.org is 10\.0\.0\.1"):
            network.allowed_address("data.example.org", 443, set(), lambda host, port: ["93.184.216.34", "10.0.0.1"])
        assert network.allowed_address("data.example.org", 443, set(), lambda host, port: ["93.184.216.34"]) == "93.184.216.34"
        assert network.allowed_address("Intern.example.org", 443, {"intern.example.org"}, lambda host, port: ["10.0.0.1"]) == "10.0.0.1"
        assert (
            network.allowed_address("intern.example.org", 8080, {"intern.example.org:8080"}, lambda host, port: ["10.0.0.1"]) == "10.0.0.1"
        )


class TestSecrets:
    def test_are_sent_only_to_named_hosts(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server.replies["/a.csv"] = [Reply(302, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/b.csv"})]
        server.replies["/b.csv"] = [Reply(200, BODY)]
        url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_OFFICE}}, params: {{}}, cadence: "0 6 * * *'
        assert "ZPO2_SECRET_OFFICE is not set" in (fetch(tmp_path, url).error or "")
        monkeypatch.setenv("ZPO2_SECRET_OFFICE", "hush")
        assert "the secret is not sent" in (fetch(tmp_path, url).error or "")
        assert server.requests == []
        monkeypatch.setenv("ZPO2_SECRET_OFFICE_HOSTS", "127.0.0.1")
        assert fetch(tmp_path, url, allow_hosts="127.0.0.1,localhost").error is None
        assert [headers.get("authorization") for _, headers in server.requests] == ["Bearer hush", None]
        kept = [p.read_text(errors="replace") for p in (tmp_path / "archive").rglob("*") if p.is_file()]
        assert not [text for text in kept if "hush" in text]

    def test_may_use_another_header(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server.replies["/a.csv"] = [Reply(302, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/b.csv"})]
        server.replies["/b.csv"] = [Reply(200, BODY)]
        monkeypatch.setenv("ZPO2_SECRET_KEY", "hush")
        monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
        url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_KEY, header: X-Access-Token}}, headers: {{X-Client: us}}, cadence: "0 6 * * *'
        assert fetch(tmp_path, url, allow_hosts="127.0.0.1,localhost").error is None
        assert [(h.get("x-access-token"), h.get("x-client")) for _, h in server.requests] == [("hush", "us"), (None, None)]

    def test_in_params_and_headers(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server.replies["/a.csv?lang=en&key=hu+sh"] = [
            Reply(302, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/b.csv"})
        ]
        server.replies["/b.csv"] = [Reply(200, BODY)]
        declared = "params: {lang: en, key: {secret_env: ZPO2_SECRET_KEY}}, headers: {X-Client: us, X-Key: {secret_env: ZPO2_SECRET_KEY}}"
        url = f'{server.url}/a.csv", {declared}, cadence: "0 6 * * *'
        assert "ZPO2_SECRET_KEY is not set" in (fetch(tmp_path, url).error or "")
        monkeypatch.setenv("ZPO2_SECRET_KEY", "hu sh")
        assert "the secret is not sent" in (fetch(tmp_path, url).error or "")
        assert server.requests == []
        monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
        assert fetch(tmp_path, url, allow_hosts="127.0.0.1,localhost").error is None
        assert [(h.get("x-client"), h.get("x-key")) for _, h in server.requests] == [("us", "hu sh"), (None, None)]
        kept = [p.read_text(errors="replace") for p in (tmp_path / "archive").rglob("*") if p.is_file()]
        assert not [text for text in kept if "hu sh" in text or "hu+sh" in text]

    def test_are_removed_from_addresses_that_a_server_names(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ZPO2_SECRET_KEY", "hu sh")
        monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
        page = b'{"rows": [1], "next": "/b.json?key=hu%20sh"}'
        server.replies["/a.json?key=hu+sh"] = [Reply(200, page)]
        paging = "paging: {kind: link, next: /next, records: /rows}, params: {key: {secret_env: ZPO2_SECRET_KEY}}"
        error = fetch(tmp_path, f'{server.url}/a.json", {paging}, cadence: "0 6 * * *').error or ""
        assert "/b.json?key=***" in error
        assert "answered 404" in error
        assert "sh" not in error.split("key=")[1].split(":")[0]

    def test_are_removed_from_server_messages(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ZPO2_SECRET_KEY", "hush")
        monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
        server.replies["/a.csv"] = [Reply(403, b'{"message":\n "key hush\x07 is not known"}', {"Content-Type": "application/json"})]
        url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_KEY}}, cadence: "0 6 * * *'
        error = fetch(tmp_path, url).error or ""
        assert 'answered 403 Forbidden: {"message": "key *** is not known"}' in error


class TestRetries:
    def test_follow_retry_after(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "0"}), Reply(503, b"", {"Retry-After": "0"}), Reply(200, BODY)]
        result = fetch(tmp_path, server.url + "/a.csv")
        assert result.error is None
        assert len(server.requests) == 3

    def test_stop_where_retry_after_is_too_long(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "3600"})]
        result = fetch(tmp_path, server.url + "/a.csv")
        assert "answered 429 and asks to wait 3600 s" in (result.error or "")
        assert result.retry_after == 3600
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_end_after_the_limit(self, server: Server, tmp_path: Path, status: int) -> None:
        server.replies["/a.csv"] = [Reply(status)]
        assert f"answered {status}" in (fetch(tmp_path, server.url + "/a.csv").error or "")
        assert len(server.requests) == 1 + QUICK.retries

    def test_request_a_cut_off_body_once_more(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY[:5], promised=len(BODY), reset=True), Reply(200, BODY)]
        result = fetch(tmp_path, server.url + "/a.csv")
        assert result.error is None
        assert result.snapshot is not None
        assert result.snapshot.bytes == len(BODY)


class TestFetchAll:
    def test_archives_the_bytes_and_their_origin(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY, {"Content-Type": "text/csv", "ETag": '"1"'})]
        result = fetch(tmp_path, server.url + "/a.csv")
        assert result.error is None
        assert result.snapshot is not None
        assert result.snapshot.sha256 == hashlib.sha256(BODY).hexdigest()
        assert Archive(tmp_path / "archive").path(result.snapshot.sha256).read_bytes() == BODY
        assert (result.snapshot.url, result.snapshot.media_type, result.snapshot.bytes) == (server.url + "/a.csv", "text/csv", len(BODY))
        assert "contact" in server.requests[0][1]["user-agent"]

    def test_sends_the_contact_address(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY)]
        head = five_places.PACK.replace("{name: Somebody}", "{name: Somebody, email: data@example.org}")
        declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{server.url}/a.csv"}}')
        pack = packs.load(five_places.write(tmp_path / "pack", pack_yml=head, sources__areas_yml=declared))
        source = pack.sources["areas"]
        request = Request(source, pack.parts(source)[0], source.fetch.url)
        fetch_all(pack, [request], Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=QUICK)
        assert "contact: data@example.org" in server.requests[0][1]["user-agent"]

    def test_sends_conditional_requests(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY, {"ETag": '"1"'}), Reply(304)]
        first = fetch(tmp_path, server.url + "/a.csv").snapshot
        assert first is not None
        again = fetch(tmp_path, server.url + "/a.csv", LastFetch(first.sha256, headers={"etag": '"1"'}))
        assert again.snapshot == first
        assert server.requests[1][1]["if-none-match"] == '"1"'

    @pytest.mark.parametrize(
        ("reply", "expect", "reason"),
        [
            (Reply(404), "", "answered 404"),
            (Reply(200, BODY, promised=len(BODY) + 10), "", "reading the response failed"),
            (Reply(200, b"<html>log in</html>", {"Content-Type": "text/html"}), "", "a web page in place of data"),
            (Reply(200, BODY, {"Content-Type": "text/plain"}), "{media_type: text/csv}", "expected media type text/csv, got text/plain"),
            (Reply(200, BODY), "{min_bytes: 1000}", "expected at least 1000 bytes"),
            (Reply(200, BODY), f"{{sha256: {'0' * 64}}}", "differs from the pinned content"),
            (Reply(200, b""), "", "empty"),
            (Reply(200, BODY, {"Content-Type": "text/html"}), "", "declare expect: {media_type: text/html}"),
            (Reply(200, b"<!-- x -->\n<!DOCTYPE html><html>"), "", "a web page in place of data"),
            (Reply(200, BODY, {"Content-Type": "application/xhtml+xml"}), "", "the server calls this a web page in place of data"),
            (Reply(200, BODY, {"Content-Encoding": "br"}), "", "compressed with 'br', which is not supported"),
            (Reply(200, b"Warning: fopen() failed in /srv/x.php on line 3\n" + BODY), "", "a message of PHP above or in place of the data"),
            (
                Reply(200, b'{"status": "error", "message": "quota exceeded"}'),
                "",
                "the server answered with an error in place of data: quota",
            ),
        ],
        ids=[
            "not found",
            "truncated",
            "html",
            "media type",
            "small",
            "pinned",
            "empty",
            "csv called html",
            "page behind a comment",
            "csv called xhtml",
            "brotli",
            "php",
            "json error",
        ],
    )
    def test_rejects_responses_that_cannot_be_the_data(
        self, server: Server, tmp_path: Path, reply: Reply, expect: str, reason: str
    ) -> None:
        server.replies["/a.csv"] = [reply]
        result = fetch(tmp_path, server.url + "/a.csv", expect=expect)
        assert result.snapshot is None
        assert result.error is not None
        assert reason in result.error
        assert not (tmp_path / "archive" / "snapshots").exists()
        assert not (tmp_path / "archive" / "blobs").exists()

    def test_takes_a_table_that_its_server_calls_a_web_page_where_the_pack_says_so(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY, {"Content-Type": "text/html"})]
        assert fetch(tmp_path, server.url + "/a.csv", expect="{media_type: text/html}").snapshot is not None

    def test_keeps_a_rejected_web_page_aside(self, server: Server, tmp_path: Path) -> None:
        page = b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>Sign in</body></html>"
        server.replies["/a.csv"] = [Reply(200, page, {"Content-Type": "text/csv"})]
        assert "a web page in place of data" in (fetch(tmp_path, server.url + "/a.csv").error or "")
        assert (tmp_path / "archive" / "refused" / "areas" / "_").read_bytes() == page

    def test_rejects_a_sudden_change_of_size(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY)]
        error = fetch(tmp_path, server.url + "/a.csv", LastFetch(bytes=1000), expect="{size_change: 0.25}").error or ""
        assert f"{len(BODY)} bytes after 1000 bytes, a change of more than 25%" in error

    def test_follows_a_few_redirects(self, server: Server, tmp_path: Path) -> None:
        server.replies["/old"] = [Reply(301, b"", {"Location": "/a.csv"})]
        server.replies["/a.csv"] = [Reply(200, BODY)]
        server.replies["/round"] = [Reply(302, b"", {"Location": "/round"})]
        snapshot = fetch(tmp_path, server.url + "/old").snapshot
        assert snapshot is not None
        assert snapshot.final_url == server.url + "/a.csv"
        assert "TooManyRedirects" in (fetch(tmp_path, server.url + "/round").error or "")

    def test_reports_an_unreachable_server(self, tmp_path: Path) -> None:
        with serving() as gone:
            url = gone.url
        assert "ConnectionError" in (fetch(tmp_path, url + "/a.csv").error or "")


class TestLimits:
    def test_min_rate_ends_a_slow_response(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY * 100, pause=0.02)]
        assert "too slow" in (fetch(tmp_path, server.url + "/a.csv").error or "")

    def test_read_timeout_ends_a_silent_response(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY, after=1)]
        limits = Limits(backoff=0, retries=0, read_timeout=0.2)
        assert "timed out" in (fetch(tmp_path, server.url + "/a.csv", limits=limits).error or "")

    def test_a_connection_that_never_completes_is_given_up(self, tmp_path: Path) -> None:
        with socket.socket() as full, ExitStack() as waiting:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):
                made = waiting.enter_context(socket.socket())
                made.setblocking(False)
                made.connect_ex(full.getsockname())
            url = f"http://127.0.0.1:{full.getsockname()[1]}/a.csv"
            error = fetch(tmp_path, url, limits=Limits(connect_timeout=0.2, retries=0)).error or ""
        assert "timed out" in error
        assert " at 0x" not in error  # an object of this process, which the next run would call otherwise

    @pytest.mark.parametrize("promised", [None, 10_000_000])
    def test_max_bytes_ends_a_large_response(self, server: Server, tmp_path: Path, promised: int | None) -> None:
        server.replies["/a.csv"] = [Reply(200, b"x" * 5000, promised=promised)]
        error = fetch(tmp_path, server.url + "/a.csv", limits=Limits(max_bytes=1000)).error or ""
        assert "the limit is 1000 bytes" in error or "more than 1000 bytes" in error

    def test_run_has_a_budget_of_requests_and_bytes(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(200, BODY)]
        assert "budget of 0 requests" in (fetch(tmp_path, server.url + "/a.csv", limits=Limits(run_requests=0, own_requests=0)).error or "")
        assert "budget of 5 bytes" in (fetch(tmp_path, server.url + "/a.csv", limits=Limits(run_bytes=5, own_bytes=0)).error or "")

    def test_per_host_limits_concurrent_requests(self, server: Server, tmp_path: Path) -> None:
        active, counts = [], []

        def reply(request: HttpRequest) -> Reply:
            active.append(request)
            counts.append(len(active))
            time.sleep(0.05)
            active.pop()
            return Reply(200, BODY)

        server.routes["/a.csv"] = reply
        pack = packs.load(five_places.write(tmp_path / "pack"))
        source = pack.sources["areas"].model_copy(update={"fetch": Fetch(url=server.url + "/a.csv")})
        requests = [Request(source, packs.Part(f"n={i}", {}), source.fetch.url) for i in range(12)]
        limits = Limits(per_host=2, per_second=1000)
        results = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)
        assert [r.error for r in results] == [None] * 12
        assert max(counts) <= 2

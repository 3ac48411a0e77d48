"""Fetching: what is asked of a server, which answers are taken, and which are refused with their reason."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http import network
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.support import five_places
from tests.support.server import Asked, Reply, Server, serving

BODY = b"code,name\n1,Alder\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


QUICK = Limits(backoff=0, retries=2, grace=0.2, silence=2, patience=5, per_second=1000)


def ask(
    folder: Path, url: str, last: dict[str, object] | None = None, expect: str = "", limits: Limits = QUICK, **settings: object
) -> Answer:
    """Fetch the source `areas` of a pack from `url`, whatever a check of the pack would say of it."""
    loads = url.startswith("http")
    declared_url = url if loads else "data/areas.csv"
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{declared_url}"{f", expect: {expect}" if expect else ""}}}')
    pack = packs.load(five_places.write(folder / "pack", sources__areas_yml=declared))
    source = pack.sources["areas"]
    if not loads:
        source = source.model_copy(update={"fetch": source.fetch.model_copy(update={"url": url})})
    part = next(iter(pack.parts(source)))
    request = Request(source, part, address(source, part), last or {})
    return fetch_all(
        pack, [request], Archive(folder / "archive"), Settings.model_validate({"allow_hosts": "127.0.0.1", **settings}), limits=limits
    )[0]


def test_bytes_are_archived_as_they_came_with_where_they_came_from(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY, {"Content-Type": "text/csv", "ETag": '"1"'})]
    answer = ask(tmp_path, server.url + "/a.csv")
    assert answer.error is None
    assert answer.snapshot is not None
    assert answer.snapshot.sha256 == hashlib.sha256(BODY).hexdigest()
    assert Archive(tmp_path / "archive").path(answer.snapshot.sha256).read_bytes() == BODY
    assert (answer.snapshot.url, answer.snapshot.media_type, answer.snapshot.bytes) == (server.url + "/a.csv", "text/csv", len(BODY))
    assert "contact" in server.asked[0][1]["user-agent"]


def test_a_server_is_told_whom_to_write_to(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY)]
    head = five_places.PACK.replace("{name: Somebody}", "{name: Somebody, email: data@example.org}")
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{server.url}/a.csv"}}')
    pack = packs.load(five_places.write(tmp_path / "pack", pack_yml=head, sources__areas_yml=declared))
    source = pack.sources["areas"]
    request = Request(source, pack.parts(source)[0], source.fetch.url)
    fetch_all(pack, [request], Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=QUICK)
    assert "contact: data@example.org" in server.asked[0][1]["user-agent"]


def test_what_has_not_changed_is_not_sent_again(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY, {"ETag": '"1"'}), Reply(304)]
    first = ask(tmp_path, server.url + "/a.csv").snapshot
    assert first is not None
    again = ask(tmp_path, server.url + "/a.csv", {"sha256": first.sha256, "headers": {"etag": '"1"'}})
    assert again.snapshot == first
    assert server.asked[1][1]["if-none-match"] == '"1"'


def test_a_server_that_is_busy_is_asked_again_when_it_says(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "0"}), Reply(503, b"", {"Retry-After": "0"}), Reply(200, BODY)]
    answer = ask(tmp_path, server.url + "/a.csv")
    assert answer.error is None
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "expect", "reason"),
    [
        (Reply(404), "", "answered 404"),
        (Reply(200, BODY, promised=len(BODY) + 10), "", "broke off"),
        (Reply(200, b"<html>log in</html>", {"Content-Type": "text/html"}), "", "a web page in place of data"),
        (Reply(200, BODY, {"Content-Type": "text/plain"}), "{media_type: text/csv}", "media type text/plain, text/csv is due"),
        (Reply(200, BODY), "{min_bytes: 1000}", "at least 1000 are due"),
        (Reply(200, BODY), f"{{sha256: {'0' * 64}}}", "content differs from the pinned one"),
        (Reply(200, b""), "", "empty"),
    ],
    ids=["not found", "truncated", "html", "media type", "small", "pinned", "empty"],
)
def test_an_answer_that_cannot_be_the_data_is_refused_and_not_archived(
    server: Server, tmp_path: Path, reply: Reply, expect: str, reason: str
) -> None:
    server.replies["/a.csv"] = [reply]
    answer = ask(tmp_path, server.url + "/a.csv", expect=expect)
    assert answer.snapshot is None
    assert answer.error is not None
    assert reason in answer.error
    assert not (tmp_path / "archive" / "snapshots").exists()
    assert not (tmp_path / "archive" / "blobs").exists()


def test_redirects_are_followed_a_few_times_only(server: Server, tmp_path: Path) -> None:
    server.replies["/old"] = [Reply(301, b"", {"Location": "/a.csv"})]
    server.replies["/a.csv"] = [Reply(200, BODY)]
    server.replies["/round"] = [Reply(302, b"", {"Location": "/round"})]
    snapshot = ask(tmp_path, server.url + "/old").snapshot
    assert snapshot is not None
    assert snapshot.final_url == server.url + "/a.csv"
    assert "TooManyRedirects" in (ask(tmp_path, server.url + "/round").error or "")


def test_a_server_that_is_not_there_is_an_error_of_that_source(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url
    assert "ConnectionError" in (ask(tmp_path, url + "/a.csv").error or "")


def test_a_mirror_answers_in_place_of_the_network(tmp_path: Path) -> None:
    file = tmp_path / "mirror" / "data.example.org" / "far" / "a b.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(BODY)
    assert ask(tmp_path, "https://data.example.org/far/a%20b.csv", mirror=tmp_path / "mirror").snapshot is not None
    assert "no such file" in (ask(tmp_path, "https://data.example.org/other.csv", mirror=tmp_path / "mirror").error or "")
    assert "leads out" in (ask(tmp_path, "https://data.example.org/../../pack/pack.yml", mirror=tmp_path / "mirror").error or "")


@pytest.mark.parametrize("path", ["../secret.csv", "data/../../secret.csv", "link/secret.csv"])
def test_a_path_stays_inside_the_pack_links_resolved(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.csv").write_bytes(BODY)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "link").symlink_to(tmp_path)
    assert "leads out of its folder" in (ask(tmp_path, path).error or "")


@pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://data.example.org/a.csv"])
def test_only_the_web_and_paths_are_fetched(tmp_path: Path, url: str) -> None:
    assert "only http, https and paths are fetched" in (ask(tmp_path, url).error or "")


def test_an_address_inside_the_operators_network_is_refused_before_a_socket_is_opened(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY)]
    answer = ask(tmp_path, server.url + "/a.csv", allow_hosts="")
    assert "127.0.0.1 is 127.0.0.1, no public address" in (answer.error or "")
    assert server.asked == []


def test_a_redirect_to_an_address_inside_is_refused_too(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})]
    assert "169.254.169.254 is 169.254.169.254, no public address" in (ask(tmp_path, server.url + "/a.csv").error or "")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
     "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1", "::"],
)  # fmt: skip
def test_only_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert not network.is_public(address)


def test_a_name_is_refused_if_any_of_its_addresses_is_inside() -> None:
    with pytest.raises(network.AddressRefusedError, match=r"data\.example\.org is 10\.0\.0\.1"):
        network.checked("data.example.org", 443, set(), lambda host, port: ["93.184.216.34", "10.0.0.1"])
    assert network.checked("data.example.org", 443, set(), lambda host, port: ["93.184.216.34"]) == "93.184.216.34"
    assert network.checked("Intern.example.org", 443, {"intern.example.org"}, lambda host, port: ["10.0.0.1"]) == "10.0.0.1"
    assert network.checked("intern.example.org", 8080, {"intern.example.org:8080"}, lambda host, port: ["10.0.0.1"]) == "10.0.0.1"


def test_a_secret_goes_only_to_the_hosts_that_the_operator_names(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.replies["/a.csv"] = [Reply(302, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/b.csv"})]
    server.replies["/b.csv"] = [Reply(200, BODY)]
    url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_OFFICE}}, params: {{}}, cadence: "0 6 * * *'
    assert "ZPO2_SECRET_OFFICE is not set" in (ask(tmp_path, url).error or "")
    monkeypatch.setenv("ZPO2_SECRET_OFFICE", "hush")
    assert "the secret is not sent" in (ask(tmp_path, url).error or "")
    assert server.asked == []
    monkeypatch.setenv("ZPO2_SECRET_OFFICE_HOSTS", "127.0.0.1")
    assert ask(tmp_path, url, allow_hosts="127.0.0.1,localhost").error is None
    assert [headers.get("authorization") for _, headers in server.asked] == ["Bearer hush", None]
    kept = [p.read_text(errors="replace") for p in (tmp_path / "archive").rglob("*") if p.is_file()]
    assert not [text for text in kept if "hush" in text]


def test_a_secret_may_have_a_header_of_its_own_and_stays_with_its_host(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies["/a.csv"] = [Reply(302, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/b.csv"})]
    server.replies["/b.csv"] = [Reply(200, BODY)]
    monkeypatch.setenv("ZPO2_SECRET_KEY", "hush")
    monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
    url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_KEY, header: X-Access-Token}}, headers: {{X-Client: us}}, cadence: "0 6 * * *'
    assert ask(tmp_path, url, allow_hosts="127.0.0.1,localhost").error is None
    assert [(h.get("x-access-token"), h.get("x-client")) for _, h in server.asked] == [("hush", "us"), (None, None)]


def test_what_a_server_says_of_a_failure_is_told_without_the_secret(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZPO2_SECRET_KEY", "hush")
    monkeypatch.setenv("ZPO2_SECRET_KEY_HOSTS", "127.0.0.1")
    server.replies["/a.csv"] = [Reply(403, b'{"message":\n "key hush\x07 is not known"}', {"Content-Type": "application/json"})]
    url = f'{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_KEY}}, cadence: "0 6 * * *'
    error = ask(tmp_path, url).error or ""
    assert 'answered 403 Forbidden: {"message": "key *** is not known"}' in error


def test_a_server_that_asks_for_more_patience_than_there_is_is_left_alone(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "3600"})]
    answer = ask(tmp_path, server.url + "/a.csv")
    assert "answered 429 and asks to be left alone for 3600 s" in (answer.error or "")
    assert answer.wait == 3600
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_does_not_pass_ends_after_a_few_questions(server: Server, tmp_path: Path, status: int) -> None:
    server.replies["/a.csv"] = [Reply(status)]
    assert f"answered {status}" in (ask(tmp_path, server.url + "/a.csv").error or "")
    assert len(server.asked) == 1 + QUICK.retries


def test_a_body_that_breaks_off_is_asked_for_once_more(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY[:5], promised=len(BODY), reset=True), Reply(200, BODY)]
    answer = ask(tmp_path, server.url + "/a.csv")
    assert answer.error is None
    assert answer.snapshot is not None
    assert answer.snapshot.bytes == len(BODY)


def test_a_slow_drip_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY * 100, pause=0.02)]
    assert "too slow" in (ask(tmp_path, server.url + "/a.csv").error or "")


def test_a_server_that_falls_silent_is_given_up(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY, after=1)]
    limits = Limits(backoff=0, retries=0, silence=0.2)
    assert "timed out" in (ask(tmp_path, server.url + "/a.csv", limits=limits).error or "")


@pytest.mark.parametrize("promised", [None, 10_000_000])
def test_more_bytes_than_are_taken_are_refused(server: Server, tmp_path: Path, promised: int | None) -> None:
    server.replies["/a.csv"] = [Reply(200, b"x" * 5000, promised=promised)]
    error = ask(tmp_path, server.url + "/a.csv", limits=Limits(max_bytes=1000)).error or ""
    assert "1000 are taken" in error or "more than 1000 bytes" in error


def test_a_run_has_a_budget_of_requests_and_bytes(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert "budget of 0 requests" in (ask(tmp_path, server.url + "/a.csv", limits=Limits(run_requests=0)).error or "")
    assert "budget of 5 bytes" in (ask(tmp_path, server.url + "/a.csv", limits=Limits(run_bytes=5)).error or "")


def test_a_web_page_that_calls_itself_data_is_refused_and_kept_aside(server: Server, tmp_path: Path) -> None:
    page = b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>Sign in</body></html>"
    server.replies["/a.csv"] = [Reply(200, page, {"Content-Type": "text/csv"})]
    assert "a web page in place of data" in (ask(tmp_path, server.url + "/a.csv").error or "")
    assert (tmp_path / "archive" / "refused" / "areas" / "_").read_bytes() == page


def test_a_size_that_jumps_is_refused(server: Server, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(200, BODY)]
    error = ask(tmp_path, server.url + "/a.csv", {"bytes": 1000}, expect="{size_change: 0.25}").error or ""
    assert f"{len(BODY)} bytes after 1000, more than 25% of change" in error


def test_a_host_is_asked_by_few_at_a_time(server: Server, tmp_path: Path) -> None:
    inside, most = [], []

    def answer(asked: Asked) -> Reply:
        inside.append(asked)
        most.append(len(inside))
        time.sleep(0.05)
        inside.pop()
        return Reply(200, BODY)

    server.routes["/a.csv"] = answer
    pack = packs.load(five_places.write(tmp_path / "pack"))
    source = pack.sources["areas"].model_copy(update={"fetch": Fetch(url=server.url + "/a.csv")})
    requests = [Request(source, packs.Part(f"n={i}", {}), source.fetch.url) for i in range(12)]
    limits = Limits(per_host=2, per_second=1000)
    answers = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)
    assert [a.error for a in answers] == [None] * 12
    assert max(most) <= 2

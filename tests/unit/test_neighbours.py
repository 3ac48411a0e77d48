"""Sources beside each other in one fetch: what one of them does neither delays the others, nor uses up what is theirs, nor reaches them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.rate_limit import Places, RateLimiter
from pipelines.extract.http.request import FetchError, FetchResult, Request
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.support import five_places
from tests.support.wire import Wire, listening

BODY = b"code,name\n1,Alder\n"


def fetch(folder: Path, answer: Callable[[Wire], None], sources: dict[str, bool], limits: Limits, *, one_host: bool) -> list[FetchResult]:
    """Fetch one source for each of `sources`, which is optional or not, from servers that give the same answers; return the results by end."""
    pack = packs.load(five_places.write(folder / "pack"))
    areas, ended = pack.sources["areas"], list[FetchResult]()
    with listening(answer) as url, listening(answer) as other:
        requests = []
        for name, optional in sources.items():
            fetched = Fetch(url=f"{url if one_host or name != 'good' else other}/{name}")
            source = areas.model_copy(update={"id": name, "fetch": fetched, "optional": optional})
            requests.append(Request(source, pack.parts(source)[0], fetched.url))
        fetch_all(pack, requests, Archive(folder / "archive"), Settings(allow_hosts="127.0.0.1"), on_result=ended.append, limits=limits)
    return ended


@pytest.mark.parametrize("one_host", [False, True])
def test_slow_sources_do_not_keep_the_others_waiting(tmp_path: Path, one_host: bool) -> None:
    def answer(wire: Wire) -> None:
        if wire.path != "/good":
            wire.keep_silent()
        wire.whole(BODY)

    limits = Limits(deadline=20, response_timeout=20, retries=0, concurrent=1, per_host=1, patience=0.3, slow=6, slow_per_host=6)
    sources = dict.fromkeys([f"slow{i}" for i in range(4)] + ["good"], True)
    began, times = time.monotonic(), {}

    def timed(wire: Wire) -> None:
        times[wire.path] = time.monotonic() - began
        answer(wire)

    results = fetch(tmp_path, timed, sources, limits, one_host=one_host)
    assert results[0].request.source.id == "good"
    assert results[0].error is None
    assert times["/good"] < 15
    assert all("too slow" in (result.error or "") for result in results[1:])


def test_required_sources_come_first(tmp_path: Path) -> None:
    limits = Limits(concurrent=1, slow=0, per_second=1000)
    sources = {"a": True, "b": True, "good": False, "c": True}
    ended = fetch(tmp_path, lambda wire: wire.whole(BODY), sources, limits, one_host=False)
    assert [result.request.source.id for result in ended] == ["good", "a", "b", "c"]


def test_cookies_of_one_source_do_not_reach_another_one(tmp_path: Path) -> None:
    """Cookies know no ports: a source with a flood of them would make every server on its host refuse the next request."""
    heads = {}

    def answer(wire: Wire) -> None:
        heads[wire.path] = wire.head
        if wire.path == "/flood":
            wire.send(b"HTTP/1.1 302 Found\r\nLocation: /flood/end\r\nSet-Cookie: name=value; Path=/\r\nContent-Length: 0\r\n\r\n")
        else:
            wire.whole(BODY, b"Set-Cookie: name=value; Path=/")

    limits = Limits(concurrent=1, slow=0, per_second=1000)
    results = fetch(tmp_path, answer, {"flood": False, "good": True}, limits, one_host=False)
    assert [result.error for result in results] == [None, None]
    assert b"name=value" in heads["/flood/end"]  # a redirect may ask for the cookie
    assert b"name=value" not in heads["/good"]


class TestBudgets:
    def test_others_cannot_use_up_what_is_of_a_source(self) -> None:
        limiter = RateLimiter(Limits(run_bytes=100, own_bytes=10, run_requests=3, own_requests=1, per_second=1000))
        limiter.count_bytes("greedy", 100)
        with pytest.raises(FetchError, match="budget of 100 bytes is used up"):
            limiter.count_bytes("greedy", 1)
        limiter.count_bytes("good", 10)
        with pytest.raises(FetchError, match="used up"):
            limiter.count_bytes("good", 1)
        for _ in range(3):
            with limiter.slot("host", "greedy"):
                pass
        with pytest.raises(FetchError, match="budget of 3 requests is used up"), limiter.slot("host", "greedy"):
            pass
        with limiter.slot("host", "good"):
            pass


class TestPlaces:
    def test_slow_holders_are_limited_too(self) -> None:
        places = Places(1, 1, 0.05)
        with places.held(), places.held():
            assert not places._all.acquire(blocking=False)
        assert places._all.acquire(blocking=False)
        assert places._quick.acquire(blocking=False)
        assert not places._quick.acquire(blocking=False)  # given up once only

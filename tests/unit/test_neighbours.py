"""Sources beside each other in one fetch: what one of them does neither delays the others, nor uses up what is theirs, nor reaches them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.deadline import Deadline
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.losses import Losses
from pipelines.extract.http.rate_limit import Places, RateLimiter
from pipelines.extract.http.request import FetchError, FetchResult, NotAsked, Request
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


@pytest.mark.slow
@pytest.mark.parametrize("one_host", [False, True])
def test_slow_sources_do_not_keep_the_others_waiting(tmp_path: Path, one_host: bool) -> None:
    def answer(wire: Wire) -> None:
        if wire.path != "/good":
            wire.keep_silent()
        wire.whole(BODY)

    limits = Limits(deadline=10, response_timeout=10, retries=0, concurrent=1, per_host=1, patience=0.3, slow=6, slow_per_host=6)
    sources = dict.fromkeys([f"slow{i}" for i in range(4)] + ["good"], True)
    began, times = time.monotonic(), {}

    def timed(wire: Wire) -> None:
        times[wire.path] = time.monotonic() - began
        answer(wire)

    results = fetch(tmp_path, timed, sources, limits, one_host=one_host)
    assert results[0].request.source.id == "good"
    assert results[0].error is None
    assert times["/good"] < 8
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


@pytest.mark.slow
class TestLostTime:
    """Silent servers with a deadline of 0.4 seconds: what costs a run two deadlines is asked no more."""

    LIMITS = Limits(deadline=0.4, response_timeout=5, retries=0, concurrent=2, slow=0, per_host=2, slow_per_host=0, per_second=1000)

    def test_of_a_host_limits_the_other_optional_sources_on_it(self, tmp_path: Path) -> None:
        asked = []

        def answer(wire: Wire) -> None:
            asked.append(wire.path)
            wire.keep_silent()

        sources = {f"s{i}": True for i in range(24)} | {f"required{i}": False for i in range(6)} | {"good": True}
        ended = fetch(
            tmp_path, lambda wire: wire.whole(BODY) if wire.path == "/good" else answer(wire), sources, self.LIMITS, one_host=False
        )
        results = {result.request.source.id: result for result in ended}
        assert results["good"].error is None
        refused = {name for name, result in results.items() if "not asked: requests to 127.0.0.1:" in (result.error or "")}
        assert all("too slow" in (results[name].error or "") for name in sources.keys() - refused - {"good"})
        assert not refused & {path.strip("/") for path in asked}
        assert all(not results[name].attempted for name in refused)
        assert len(refused) >= 12
        assert sum(name.startswith("required") for name in refused) <= 4  # what optional ones lose is not held against them

    def test_of_a_source_limits_its_other_parts(self, tmp_path: Path) -> None:
        pack = packs.load(five_places.write(tmp_path / "pack"))
        with ExitStack() as servers:
            hosts = [servers.enter_context(listening(lambda wire: wire.keep_silent())).partition("://")[2] for _ in range(12)]
            fetched = Fetch(url="http://{host}/x", parts={"host": hosts})
            source = pack.sources["areas"].model_copy(update={"fetch": fetched})
            requests = [Request(source, part, f"http://{host}/x") for part, host in zip(pack.parts(source), hosts, strict=True)]
            results = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=self.LIMITS)
        errors = [result.error or "" for result in results]
        assert sum("not asked: requests to source areas have failed" in error for error in errors) >= 6
        assert sum("too slow" in error for error in errors) >= 2

    def test_leaves_less_time_for_what_follows(self) -> None:
        losses, first, second, required = Losses(10), Deadline(10, Deadline(100)), Deadline(10, Deadline(100)), Deadline(10)
        losses.add("host", first, 11)
        for deadline in (second, required):
            losses.limit("host", deadline, "http://host/a")
        assert (second.seconds, required.seconds) == (1, 10)
        assert 0 < second.left <= 1
        losses.add("host", first, 9)
        with pytest.raises(NotAsked, match="requests to host have failed for 20 s"):
            losses.limit("host", second, "http://host/a")
        losses.limit("host", required, "http://host/a")

    def test_is_none_where_slow_parts_are_fetched(self, tmp_path: Path) -> None:
        """Twelve parts of 0.3 seconds, two at a time, take longer than a deadline in all."""
        pack = packs.load(five_places.write(tmp_path / "pack"))

        def answer(wire: Wire) -> None:
            wire.ended.wait(0.3)
            wire.whole(BODY + wire.path.encode())

        with listening(answer) as url:
            source = pack.sources["areas"].model_copy(
                update={"fetch": Fetch(url=url + "/{n}", parts={"n": [str(i) for i in range(12)]}), "optional": True}
            )
            requests = [Request(source, part, part.filled(source.fetch.url)) for part in pack.parts(source)]
            limits = replace(self.LIMITS, deadline=3)
            results = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)
        assert [result.error for result in results] == [None] * 12


@pytest.mark.slow
def test_optional_sources_have_a_deadline_in_common(tmp_path: Path) -> None:
    """Servers that send their data slowly enough are no fault; all of them together would take a run for ever."""

    def answer(wire: Wire) -> None:
        wire.ended.wait(0.3)
        wire.whole(BODY)

    sources = {f"s{i}": True for i in range(12)} | {f"required{i}": False for i in range(3)}
    limits = Limits(deadline=30, optional_deadline=0.7, concurrent=1, slow=0, per_second=1000)
    ended = fetch(tmp_path, answer, sources, limits, one_host=True)
    errors = {result.request.source.id: result.error for result in ended}
    assert [errors[f"required{i}"] for i in range(3)] == [None] * 3
    not_asked = [result for result in ended if not result.attempted]
    assert len(not_asked) >= 6
    assert all("ZPO2_FETCH_OPTIONAL_DEADLINE is the limit" in (result.error or "") for result in not_asked)


def test_parts_of_one_source_do_not_come_before_the_other_sources(tmp_path: Path) -> None:
    pack, paths = packs.load(five_places.write(tmp_path / "pack")), []

    def answer(wire: Wire) -> None:
        paths.append(wire.path)
        wire.whole(BODY + wire.path.encode())

    with listening(answer) as url:
        many = pack.sources["areas"].model_copy(update={"id": "many", "fetch": Fetch(url=url + "/{n}", parts={"n": ["a", "b", "c"]})})
        one = pack.sources["areas"].model_copy(update={"id": "one", "fetch": Fetch(url=url + "/one")})
        requests = [Request(source, part, part.filled(source.fetch.url)) for source in (many, one) for part in pack.parts(source)]
        limits = Limits(concurrent=1, slow=0, per_second=1000)
        fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)
    assert paths == ["/a", "/one", "/b", "/c"]


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

"""Servers that never end or send too much: all are tried at the same time, and none costs the others more than its own deadline."""

from __future__ import annotations

import resource
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http import network
from pipelines.extract.http.client import Client
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError, FetchResult, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.hostile import contradictory, endless
from tests.hostile.endless import BODY, Attack
from tests.support import five_places
from tests.support.wire import Wire, listening

ATTACKS = [*endless.ATTACKS, *contradictory.ATTACKS]
DEADLINE = 5.0
LIMITS = Limits(
    deadline=DEADLINE, response_timeout=4, message_timeout=0.5, connect_timeout=1, backoff=0.01, max_retry_after=2, poll_interval=0.05,
    poll_timeout=1, max_bytes=30_000_000, per_second=10_000, per_host=12, concurrent=12,
)  # fmt: skip


@dataclass(frozen=True)
class Outcomes:
    """What became of all attacks and of the good source beside them, in how many seconds and how many additional bytes of memory."""

    results: dict[str, FetchResult]
    archive: Archive
    seconds: float
    memory: int


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    folder = tmp_path_factory.mktemp("endless")
    pack = packs.load(five_places.write(folder / "pack"))
    areas = pack.sources["areas"]
    archive = Archive(folder / "archive")
    with ExitStack() as servers:
        requests = []
        for attack in [*ATTACKS, Attack("good", "", lambda wire: wire.whole(BODY))]:
            url = servers.enter_context(listening(attack.answer))  # on one host most would not be asked for
            fetch = Fetch.model_validate(attack.declared(url))
            read = areas.read.model_copy(update={"format": "json", "records": attack.records} if "paging" in attack.fetch else {})
            source = areas.model_copy(update={"id": attack.id, "fetch": fetch, "read": read})
            part = pack.parts(source)[0]
            requests.append(Request(source, part, address(source, part)))
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        results = fetch_all(pack, requests, archive, Settings(allow_hosts="127.0.0.1"), limits=LIMITS)
        seconds = time.monotonic() - began
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return Outcomes({r.request.source.id: r for r in results}, archive, seconds, memory)


class TestServersThatNeverEnd:
    @pytest.mark.parametrize("attack", ATTACKS, ids=[attack.id for attack in ATTACKS])
    def test_are_refused_with_a_reason(self, outcomes: Outcomes, attack: Attack) -> None:
        result = outcomes.results[attack.id]
        if attack.error is None:
            assert result.snapshot is not None, result.error
            assert outcomes.archive.path(result.snapshot.sha256).read_bytes() == BODY
            return
        assert result.snapshot is None
        assert result.error, "expected a reason"
        assert any(reason in result.error for reason in attack.reasons), result.error
        assert result.error.isprintable()
        assert "cannot be processed" not in result.error  # nobody thought of it
        assert len(result.error) < 2100

    def test_do_not_keep_the_good_source_from_being_fetched(self, outcomes: Outcomes) -> None:
        good = outcomes.results["good"]
        assert good.snapshot is not None, good.error

    def test_take_no_longer_than_their_deadline(self, outcomes: Outcomes) -> None:
        slow = sum("too slow" in (result.error or "") for result in outcomes.results.values())
        assert slow > 10
        assert outcomes.seconds < 10 + DEADLINE * slow / 3  # twelve at a time, on a machine that others use, too

    def test_take_little_memory(self, outcomes: Outcomes) -> None:
        assert outcomes.memory < 1_500_000_000


class TestNameServers:
    def test_that_never_answer_are_given_up(self, tmp_path: Path) -> None:
        pack = packs.load(five_places.write(tmp_path / "pack"))
        client = Client(Settings(), Limits(deadline=0.5, response_timeout=0.5, retries=0), "nobody")
        ended = threading.Event()

        def resolve(host: str, port: int) -> list[str]:
            ended.wait(20)
            return ["127.0.0.1"]

        client._session = network.session({"data.example.org"}, client.limits, resolve)
        began = time.monotonic()
        with pytest.raises(FetchError, match=r"too slow|timed out"):
            client.get(pack.sources["areas"], "http://data.example.org/a.csv", tmp_path)
        assert time.monotonic() - began < 5
        ended.set()


class TestHandshakes:
    @pytest.mark.parametrize("pause", [0.0, 0.05])
    def test_that_never_end_are_given_up(self, tmp_path: Path, pause: float) -> None:
        pack = packs.load(five_places.write(tmp_path / "pack"))
        client = Client(Settings(allow_hosts="127.0.0.1"), Limits(deadline=0.7, response_timeout=0.7, retries=0), "nobody")
        ended = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def accept() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(10_000)
                    record = b"\x16\x03\x03\x40\x00" + b"\x02" * 10_000  # a handshake that would be long
                    for i in range(len(record)):
                        if ended.wait(pause or 5):
                            return
                        try:
                            connection.send(record[i : i + 1])
                        except OSError:
                            return

            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            began = time.monotonic()
            with pytest.raises(FetchError, match=r"too slow|timed out"):
                client.get(pack.sources["areas"], f"https://127.0.0.1:{listener.getsockname()[1]}/a.csv", tmp_path)
            assert time.monotonic() - began < 5
            ended.set()
            thread.join(5)


def test_waiting_for_a_turn_does_not_count(tmp_path: Path) -> None:
    """Two sources on one host that answers one at a time: the second one waits longer than its own deadline, and is fetched."""
    pack = packs.load(five_places.write(tmp_path / "pack"))
    areas = pack.sources["areas"]

    def answer(wire: Wire) -> None:
        wire.ended.wait(0.7)
        wire.whole(BODY + urlsplit(wire.path).path.encode())

    with listening(answer) as url:
        sources = [areas.model_copy(update={"id": f"s{i}", "fetch": Fetch(url=f"{url}/{i}")}) for i in range(3)]
        requests = [Request(s, pack.parts(s)[0], s.fetch.url) for s in sources]
        limits = Limits(deadline=1.2, response_timeout=1.2, per_host=1, per_second=1000, retries=0)
        results = fetch_all(pack, requests, Archive(tmp_path / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)
    assert [r.error for r in results] == [None, None, None]

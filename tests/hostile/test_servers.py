"""Servers that misbehave: what becomes a snapshot, what is refused with its reason, and what is never asked."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http import network
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, Request, address
from pipelines.extract.snapshots import Archive
from tests.hostile.servers import BEHAVIOURS, BODY, METADATA, Behaviour, to
from tests.support import five_places
from tests.support.server import serving

QUICK = Limits(connect=1, silence=2, retries=2, backoff=0.01, patience=0.5, per_second=1000)


def ask(folder: Path, url: str, expect: str = "", limits: Limits = QUICK) -> Answer:
    """Fetch the source `areas` of a pack from `url`; the operator allows 127.0.0.1 and nothing else inside."""
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{url}"{f", expect: {expect}" if expect else ""}}}')
    pack = packs.load(five_places.write(folder / "pack", sources__areas_yml=declared))
    source = pack.sources["areas"]
    part = next(iter(pack.parts(source)))
    request = Request(source, part, address(source, part), {})
    return fetch_all(pack, [request], Archive(folder / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)[0]


def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record every address that a socket is told to connect to, and let only loopback through."""
    addresses: list[Any] = []
    connect = socket.socket.connect

    def recorded(self: socket.socket, address: Any) -> None:
        addresses.append(address)
        assert address[0] == "127.0.0.1", f"a packet would have left for {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recorded)
    return addresses


class TestServers:
    @pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=[b.id for b in BEHAVIOURS])
    def test_outcome(self, behaviour: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        connections(monkeypatch)
        with serving() as server:
            server.replies["/a.csv"] = list(behaviour.replies)
            behaviour.others(server)
            answer = ask(tmp_path, server.url + "/a.csv", behaviour.expect, dataclasses.replace(QUICK, **behaviour.limits))
            asked = len(server.asked)
        archive = Archive(tmp_path / "archive")
        if behaviour.error is None:
            assert answer.error is None
            assert answer.snapshot is not None
            assert archive.path(answer.snapshot.sha256).read_bytes() == BODY
        else:
            assert answer.snapshot is None
            assert answer.error, "a reason is due"
            assert behaviour.error in answer.error
            assert "Traceback" not in answer.error
            assert "\n" not in answer.error
            assert not [path for path in (archive.root / "blobs").rglob("*") if path.is_file()]
        if behaviour.asked is not None:
            assert asked == behaviour.asked

    def test_refuses_inner_addresses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = connections(monkeypatch)
        assert "no public address" in (ask(tmp_path, METADATA).error or "")
        assert addresses == []

    def test_refuses_redirects_to_inner_addresses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = connections(monkeypatch)
        with serving() as server:
            server.replies["/a.csv"] = list(to(METADATA))
            assert "no public address" in (ask(tmp_path, server.url + "/a.csv").error or "")
        assert {address[0] for address in addresses} == {"127.0.0.1"}
        assert len(addresses) == 1

    def test_refuses_rebinding_names(self) -> None:
        answers = iter([["93.184.216.34"], ["10.0.0.1"]])
        address = network.checked("data.example.org", 443, set(), lambda host, port: next(answers))
        assert address == "93.184.216.34"  # the connection is made to this address, the name is not asked again

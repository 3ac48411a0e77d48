"""Servers that misbehave: what becomes a snapshot, what is rejected with a reason, and which addresses are never contacted."""

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
from pipelines.extract.http.request import FetchResult, Request, address
from pipelines.extract.snapshots import Archive
from tests.hostile.servers import BEHAVIOURS, BODY, METADATA, Behaviour, to
from tests.support import five_places
from tests.support.server import serving

QUICK = Limits(connect_timeout=1, read_timeout=2, retries=2, backoff=0.01, max_retry_after=0.5, per_second=1000)


def fetch(folder: Path, url: str, expect: str = "", limits: Limits = QUICK) -> FetchResult:
    """Fetch the source `areas` of a pack from `url`; the operator allows 127.0.0.1 and no other private address."""
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{url}"{f", expect: {expect}" if expect else ""}}}')
    pack = packs.load(five_places.write(folder / "pack", sources__areas_yml=declared))
    source = pack.sources["areas"]
    part = next(iter(pack.parts(source)))
    request = Request(source, part, address(source, part))
    return fetch_all(pack, [request], Archive(folder / "archive"), Settings(allow_hosts="127.0.0.1"), limits=limits)[0]


def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record each address that a socket connects to, and allow only loopback."""
    addresses: list[Any] = []
    connect = socket.socket.connect

    def recorded(self: socket.socket, address: Any) -> None:
        addresses.append(address)
        assert address[0] == "127.0.0.1", f"a packet would have left for {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recorded)
    return addresses


class TestHostileServers:
    @pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=[b.id for b in BEHAVIOURS])
    def test_behaviour_has_its_declared_result(self, behaviour: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        connections(monkeypatch)
        with serving() as server:
            server.replies["/a.csv"] = list(behaviour.replies)
            behaviour.others(server)
            result = fetch(tmp_path, server.url + "/a.csv", behaviour.expect, dataclasses.replace(QUICK, **behaviour.limits))
            request_count = len(server.requests)
        archive = Archive(tmp_path / "archive")
        if behaviour.error is None:
            assert result.error is None
            assert result.snapshot is not None
            assert archive.path(result.snapshot.sha256).read_bytes() == BODY
        else:
            assert result.snapshot is None
            assert result.error, "expected a reason"
            assert behaviour.error in result.error
            assert "Traceback" not in result.error
            assert "\n" not in result.error
            assert not [path for path in (archive.root / "blobs").rglob("*") if path.is_file()]
        if behaviour.requests is not None:
            assert request_count == behaviour.requests


class TestPrivateAddresses:
    def test_open_no_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = connections(monkeypatch)
        assert "not a public address" in (fetch(tmp_path, METADATA).error or "")
        assert addresses == []

    def test_open_no_second_socket_after_a_redirect(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = connections(monkeypatch)
        with serving() as server:
            server.replies["/a.csv"] = list(to(METADATA))
            assert "not a public address" in (fetch(tmp_path, server.url + "/a.csv").error or "")
        assert {address[0] for address in addresses} == {"127.0.0.1"}
        assert len(addresses) == 1

    def test_checked_address_is_the_one_connected_to(self) -> None:
        resolutions = iter([["93.184.216.34"], ["10.0.0.1"]])
        address = network.allowed_address("data.example.org", 443, set(), lambda host, port: next(resolutions))
        assert address == "93.184.216.34"  # the connection goes to this address; the name is not resolved again

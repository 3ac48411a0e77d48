"""One real run with a good source, which is required, beside many hostile servers: it ends, releases the good source and names the others."""

from __future__ import annotations

import json
import re
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.hostile import pack
from tests.hostile.endless import ATTACKS, Attack
from tests.support.command import EPOCH, zpo2
from tests.support.wire import listening

pytestmark = pytest.mark.slow

BESIDE = [attack for attack in ATTACKS if attack.error is not None and not attack.id.startswith(("page_", "length_"))]
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SOURCE = """\
id: {id}
title: {id}
publisher: Nobody
licence: CC0-1.0
theme: census
optional: {optional}
fetch: {fetch}
read: {read}
columns: {{code: {{required: true}}, value: {{type: number}}}}
into: observations
map: {{area: {{scheme: cz, code: code}}, period: "'2021'", measures: {{{measure}: value}}}}
"""


@dataclass(frozen=True)
class Ran:
    """The run, how long it took, and its workspace."""

    home: Path
    done: subprocess.CompletedProcess[str]
    seconds: float


def declaration(attack: Attack, url: str) -> str:
    fetch = attack.declared(url)
    read = {"format": "json" if fetch.keys() & {"paging", "protocol"} else "csv"}
    return SOURCE.format(id=attack.id, optional="true", fetch=json.dumps(fetch), read=json.dumps(read), measure=f"m_{attack.id}")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    root = tmp_path_factory.mktemp("beside")
    folder, home = pack.write(root / "pack", []), root / "home"
    with ExitStack() as servers:
        for attack in BESIDE:
            text = declaration(attack, servers.enter_context(listening(attack.answer)))
            (folder / "sources" / f"{attack.id}.yml").write_text(text, encoding="utf-8")
        good = servers.enter_context(listening(lambda wire: wire.whole(pack.HONEST_CSV.encode())))
        fetch = json.dumps({"url": f"{good}/good.csv"})
        honest = SOURCE.format(id="honest", optional="false", fetch=fetch, read="{format: csv}", measure="population")
        (folder / "sources" / "honest.yml").write_text(honest, encoding="utf-8")
        began = time.monotonic()
        done = zpo2(
            "run", "--pack", folder, "--home", home, SOURCE_DATE_EPOCH=EPOCH, ZPO2_ALLOW_HOSTS="127.0.0.1", ZPO2_FETCH_DEADLINE="2",
            ZPO2_FETCH_RESPONSE_TIMEOUT="1", ZPO2_FETCH_BYTES="20000000",
        )  # fmt: skip
    return Ran(home, done, time.monotonic() - began)


class TestRunBesideHostileServers:
    def test_ends_with_a_release_of_the_good_source(self, ran: Ran) -> None:
        assert ran.done.returncode == 3, ran.done.stdout + ran.done.stderr
        values = (current_release(ran.home) / "csv" / "indicator_values" / "population.csv").read_text(encoding="utf-8")
        assert "CZ_554782" in values

    def test_refuses_each_server_by_name_with_a_reason(self, ran: Ran) -> None:
        for attack in BESIDE:
            assert re.search(rf"^source      {attack.id}: .*\S", ran.done.stdout, re.MULTILINE), attack.id

    def test_shows_no_traceback_and_no_control_characters(self, ran: Ran) -> None:
        for text in (ran.done.stdout, ran.done.stderr):
            assert "Traceback" not in text
            assert not RAW.search(text)
        status = zpo2("status", "--home", ran.home, "--json").stdout
        assert not RAW.search(status)
        for path in [
            path for path in ran.home.rglob("*") if path.suffix in {".json", ".jsonl", ".csv", ".md", ".html", ".ttl", ".xml", ".txt"}
        ]:
            assert not RAW.search(path.read_text(encoding="utf-8", errors="surrogateescape")), path

    def test_takes_no_longer_than_the_deadlines_of_the_servers(self, ran: Ran) -> None:
        assert ran.seconds < 60 + 2 * len(BESIDE)

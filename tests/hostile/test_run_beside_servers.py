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
from tests.hostile import contradictory, endless, pack
from tests.hostile.endless import Attack
from tests.support.command import EPOCH, zpo2
from tests.support.wire import listening

pytestmark = pytest.mark.slow

CONTRADICTORY = (
    "lengths_that_differ", "chunked_after_gzip", "chunk_of_2_to_the_64", "encodings_100_times", "redirect_of_60_kB", "redirect_local_tunnel",
    "redirect_to_tls", "cookies_of_6_MB", "links_of_6_MB", "not_modified_unasked", "other_protocol", "frames_of_h2", "alert_of_tls",
    "retry_of_another_calendar", "total_of_megabytes", "page_links_to_itself", "next_link_private", "cursor_of_5_MB", "cursor_surrogate", "key_twice",
    "message_of_5_MB_of_ckan", "names_of_1_MB", "member_file", "member_of_czso_nested", "hub_of_many", "arcgis_key_of_5_MB", "eurostat_new_jobs",
    "list_of_many_columns", "page_in_utf16",
)  # fmt: skip
"""One or two of each kind; all of them are tried without a run."""
BESIDE = [
    *(attack for attack in endless.ATTACKS if attack.error is not None and not attack.id.startswith(("page_", "length_"))),
    *(attack for attack in contradictory.ATTACKS if attack.id in CONTRADICTORY),
]
ON_ONE_HOST = {attack.id: attack.answer for attack in endless.ATTACKS if attack.error == endless.SLOW}
"""Attacks that never end and are paths of one server, so that most of them are not asked for."""
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
        one_host = servers.enter_context(listening(lambda wire: ON_ONE_HOST[wire.path.split("/")[1]](wire)))
        for attack in BESIDE:
            text = declaration(attack, one_host if attack.id in ON_ONE_HOST else servers.enter_context(listening(attack.answer)))
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
        not_asked = re.findall(
            r"^source      (\w+): .*: not asked: requests to 127\.0\.0\.1:\d+ have failed", ran.done.stdout, re.MULTILINE
        )
        assert ON_ONE_HOST.keys() >= set(not_asked)
        assert len(not_asked) > len(ON_ONE_HOST) / 3

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

"""A real run with secrets in headers and queries, beside servers that repeat them in all they say: no file and no output has them."""

from __future__ import annotations

import json
import subprocess
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from tests.conftest import current_release
from tests.hostile import pack
from tests.hostile.test_run_beside_servers import SOURCE
from tests.support.command import EPOCH, zpo2
from tests.support.wire import Answer, Wire, listening

pytestmark = pytest.mark.slow

SECRET = "hush & 4711/ťuk"
VARIABLES = {"ZPO2_SECRET_OFFICE": SECRET, "ZPO2_SECRET_OFFICE_HOSTS": "127.0.0.1", "ZPO2_ALLOW_HOSTS": "127.0.0.1"}
FORMS = {
    form.encode() for form in (SECRET, quote(SECRET, safe=""), quote(SECRET), quote_plus(SECRET), json.dumps(SECRET)[1:-1], escape(SECRET))
}
PAGES = {"paging": {"kind": "link", "next": "/next", "records": "/rows"}}


def _asked(wire: Wire) -> str:
    """Return the query of a request as the server reads it."""
    return unquote_plus(wire.query)


def _refuse(wire: Wire) -> None:
    body = f"you sent {_asked(wire)}, {wire.query}".encode()
    wire.send(b"HTTP/1.1 403 No ", quote(_asked(wire)).encode(), b"\r\nContent-Length: %d\r\n\r\n" % len(body), body)


def _redirect(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 302 Found\r\nLocation: http://[", wire.query.encode(), b"/\r\nContent-Length: 0\r\n\r\n")


def _next_page(wire: Wire) -> None:
    wire.whole(json.dumps({"rows": [{"code": "554782"}], "next": f"http://[{_asked(wire)}"}).encode(), b"Content-Type: application/json")


def _error_of_ckan(wire: Wire) -> None:
    wire.whole(json.dumps({"success": False, "error": {"message": _asked(wire)}}).encode(), b"Content-Type: application/json")


REPEATING: dict[str, tuple[Answer, dict[str, Any]]] = {"refuse": (_refuse, {}), "redirect": (_redirect, {}), "next_page": (_next_page, PAGES),
             "ckan": (_error_of_ckan, {"protocol": "ckan", "resource": "r"})}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """The run and its workspace."""

    home: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    root = tmp_path_factory.mktemp("secrets")
    folder, home = pack.write(root / "pack", []), root / "home"
    secret = {"secret_env": "ZPO2_SECRET_OFFICE"}
    with ExitStack() as servers:

        def declare(name: str, url: str, measure: str, **fetch: Any) -> None:
            text = SOURCE.format(
                id=name, optional=json.dumps(name != "honest"), measure=measure,
                fetch=json.dumps({"url": url, "params": {"key": secret}, **fetch}), read=json.dumps({"format": "json" if fetch else "csv"}),
            )  # fmt: skip
            (folder / "sources" / f"{name}.yml").write_text(text, encoding="utf-8")

        for name, (answer, fetch) in REPEATING.items():
            declare(name, f"{servers.enter_context(listening(answer))}/data", f"m_{name}", **fetch)

        def honest(wire: Wire) -> None:
            assert SECRET in _asked(wire)
            wire.whole(pack.HONEST_CSV.encode())

        declare("honest", f"{servers.enter_context(listening(honest))}/good.csv", "population")
        done = zpo2("run", "--pack", folder, "--home", home, timeout=300, SOURCE_DATE_EPOCH=EPOCH, **VARIABLES)
    return Ran(home, done)


def test_the_secret_was_sent_and_the_servers_were_refused(ran: Ran) -> None:
    assert ran.done.returncode == 3, ran.done.stdout + ran.done.stderr
    assert (current_release(ran.home) / "csv" / "indicator_values" / "population.csv").is_file()
    for name in REPEATING:
        assert f"source      {name}: " in ran.done.stdout, name


def test_no_output_has_it(ran: Ran) -> None:
    said = (ran.done.stdout + ran.done.stderr + zpo2("status", "--home", ran.home, "--json").stdout).encode()
    assert [form for form in FORMS if form in said] == []


def test_no_file_has_it(ran: Ran) -> None:
    files = [path for path in ran.home.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"last_run.json", "log.jsonl", "fetches.json", "warehouse.duckdb"} <= {path.name for path in files}
    for path in files:
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                contents += [packed.read(name) for name in packed.namelist()]
        for content in contents:
            assert [form for form in FORMS if form in content] == [], path

"""`zpo2 mcp` as its clients see it: the official client asks over standard input and output, and over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent

from tests.support.command import PROJECT, environment, start, zpo2
from tests.support.mcp_questions import DEMO, NAMESAKES, Question, Sql

pytestmark = pytest.mark.acceptance
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "about_release", "arguments": {}}}
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
VIEWS = {
    "v": "indicator_values/*.csv", "c": "comparisons/*.csv", "peers": "peers.csv", "sustainability": "sustainability.csv",
    "community": "community.csv", "trends": "trends.csv", "snapshots": "snapshots.csv",
}  # fmt: skip


async def _ask(client: Client, questions: Sequence[Question]) -> list[CallToolResult]:
    async with client:
        return [await client.call_tool(question.tool, dict(question.arguments)) for question in questions]


def stdio(release: Path) -> Client:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "pipelines.cli", "mcp", "--release", str(release)], env=environment(), cwd=PROJECT
    )
    return Client(stdio_client(command))


@contextmanager
def serving(release: Path) -> Iterator[str]:
    """Serve a release over HTTP, and yield the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    process = start("mcp", "--release", release, "--http", f"127.0.0.1:{port}")
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="module")
def address(demo_release: Path) -> Iterator[str]:
    with serving(demo_release) as served:
        yield served


@pytest.fixture(scope="module", params=["stdio", "http"])
def answers(request: pytest.FixtureRequest, demo_release: Path, namesakes_release: Path) -> dict[str, CallToolResult]:
    """The answers to all questions, by question, over each transport."""
    found: list[CallToolResult] = []
    for release, questions in ((demo_release, DEMO), (namesakes_release, NAMESAKES)):
        if request.param == "stdio":
            found += asyncio.run(_ask(stdio(release), questions))
        else:
            with serving(release) as served:
                found += asyncio.run(_ask(Client(served), questions))
    return {question.asked: answer for question, answer in zip((*DEMO, *NAMESAKES), found, strict=True)}


def part(answer: Any, path: str) -> Any:
    """Return the part of an answer at a path."""
    for step in path.split("."):
        answer = len(answer) if step == "#" else answer[int(step)] if isinstance(answer, list) else answer[step]
    return answer


def expected(value: Any, release: Path) -> Any:
    """Return an expected value, by a query on the CSV files of the release if it is one."""
    if not isinstance(value, Sql):
        return value
    with duckdb.connect() as connection:
        for name, path in VIEWS.items():
            if "*" in path or (release / "csv" / path).is_file():
                connection.execute(f"create view {name} as from read_csv('{release / 'csv' / path}', all_varchar = true)")
        [[found]] = connection.execute(value.query).fetchall()
    return float(found) if re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", str(found)) else found


@pytest.mark.parametrize("question", [*DEMO, *NAMESAKES], ids=lambda question: question.asked)
def test_questions(question: Question, answers: dict[str, CallToolResult], demo_release: Path, namesakes_release: Path) -> None:
    result = answers[question.asked]
    [content] = result.content
    assert isinstance(content, TextContent)
    if question.error is not None:
        assert result.is_error
        assert question.error in content.text
        return
    assert not result.is_error, content.text
    answer = result.structured_content
    assert answer is not None
    assert answer == json.loads(content.text)
    release = namesakes_release if question in NAMESAKES else demo_release
    for path, value in question.expected.items():
        wanted, got = expected(value, release), part(answer, path)
        assert got == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted), path
    assert answer["release"]["version"] == release.name
    assert answer["release"]["licence"] == "CC-BY-4.0"
    if "language" in question.arguments:
        assert answer["language"] == question.arguments["language"]


def test_there_are_enough_questions() -> None:
    assert len({question.asked for question in (*DEMO, *NAMESAKES)}) == len(DEMO) + len(NAMESAKES) >= 60
    assert sum(question.error is not None for question in (*DEMO, *NAMESAKES)) >= 15


def test_every_tool_describes_itself(demo_release: Path) -> None:
    async def listed() -> list[Any]:
        async with stdio(demo_release) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(listed())
    assert {tool.name for tool in tools} >= {question.tool for question in DEMO if not question.error}
    page = (PROJECT / "docs" / "mcp.md").read_text(encoding="utf-8")
    for tool in tools:
        assert tool.output_schema
        assert len(tool.description) > 40
        assert (tool.annotations.read_only_hint, tool.annotations.open_world_hint) == (True, False)
        [row] = re.findall(rf"^\| `{tool.name}` \| (.+) \|$", page, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row.split(" | ")[0])) == set(tool.input_schema["properties"]), tool.name


class TestHttp:
    @pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null", "http://127.0.0.1.evil.example"])
    def test_foreign_origins_are_refused(self, address: str, origin: str) -> None:
        reply = requests.post(address, json=CALL, headers={**HEADERS, "origin": origin}, timeout=30)
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", "0.0.0.0:80"])
    def test_foreign_hosts_are_refused(self, address: str, host: str) -> None:
        assert requests.post(address, json=CALL, headers={**HEADERS, "host": host}, timeout=30).status_code == 421

    def test_its_own_origin_is_accepted(self, address: str) -> None:
        reply = requests.post(address, json=CALL, headers={**HEADERS, "origin": address.removesuffix("/mcp")}, timeout=30)
        assert reply.status_code == 200
        assert reply.json()["result"]["structuredContent"]["indicators"] == 88

    def test_large_bodies_are_refused(self, address: str) -> None:
        large = json.dumps(CALL) + " " * (300 << 10)
        assert requests.post(address, data=large, headers=HEADERS, timeout=30).status_code == 413
        in_chunks = (large[n : n + 8192].encode() for n in range(0, len(large), 8192))
        with suppress(requests.ConnectionError):  # the server may answer and close while chunks are still being sent
            assert requests.post(address, data=in_chunks, headers=HEADERS, timeout=30).status_code == 413
        assert requests.post(address, json=CALL, headers=HEADERS, timeout=30).status_code == 200

    @pytest.mark.parametrize("levels", [40, 1_000, 100_000])
    def test_deep_json_is_refused(self, address: str, levels: int) -> None:
        text = json.dumps(CALL).replace('"arguments": {}', '"arguments": {"language": ' + "[" * levels + "]" * levels + "}")
        assert requests.post(address, data=text, headers=HEADERS, timeout=30).status_code == 400

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", "\x00", '{"jsonrpc": "2.0"}', "[" + json.dumps(CALL) + "]", '"' + "\\" * 1001])
    def test_what_is_no_request_is_refused(self, address: str, body: str) -> None:
        reply = requests.post(address, data=body.encode(), headers=HEADERS, timeout=30)
        assert 400 <= reply.status_code < 500

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            (json.dumps(CALL).replace("{}", '{"limit": ' + "9" * 200_000 + "}"), 400),
            (json.dumps(CALL).replace("{}", "{" + ", ".join(f'"k{n}": 1' for n in range(15_000)) + "}"), 200),
            ("[" + ", ".join([json.dumps(CALL)] * 1_000) + "]", 400),
            ("[" + ", ".join(['{"jsonrpc": "2.0", "method": "x"}'] * 5_000) + "]", 400),
        ],
        ids=["number", "arguments", "batch of calls", "batch of notifications"],
    )
    def test_floods_in_one_request_are_refused(self, address: str, text: str, status: int) -> None:
        reply = requests.post(address, data=text, headers=HEADERS, timeout=30)
        assert reply.status_code == status
        assert len(reply.content) < 4_000
        assert status == 400 or "has no argument" in reply.text

    def test_sessions_that_nobody_closes_leave_nothing(self, address: str) -> None:
        client = {"name": "x" * 10_000, "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        with requests.Session() as session:
            for _ in range(200):
                reply = session.post(
                    address, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}, headers=HEADERS, timeout=30
                )
                assert reply.status_code == 200
                assert "mcp-session-id" not in reply.headers

    def test_slow_and_idle_clients_keep_nobody_out(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").removesuffix("/mcp").partition(":")
        head = f"POST /mcp HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
        with ExitStack() as opened:
            for number in range(300):
                client = opened.enter_context(socket.create_connection((host, int(port)), timeout=30))
                if number % 2:
                    client.sendall(head.encode())
            assert requests.post(address, json=CALL, headers=HEADERS, timeout=30).status_code == 200

    def test_only_post_is_served(self, address: str) -> None:
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            reply = requests.request(method, address, headers=HEADERS, timeout=30)
            assert reply.status_code == 405, method
            assert "access-control-allow-origin" not in reply.headers

    def test_no_reply_names_a_path_of_the_machine(self, address: str, demo_release: Path) -> None:
        replies = [requests.post(address, data=body, headers=HEADERS, timeout=30) for body in ("{", "x", '{"jsonrpc": "2.0", "method": 5}')]
        for name, arguments in (
            ("get_value", {"indicator": "/etc/passwd", "place": "../.."}),
            ("../x", {}),
            ("get_value", {"indicator": 5}),
        ):
            call = {**CALL, "params": {"name": name, "arguments": arguments}}
            replies.append(requests.post(address, json=call, headers=HEADERS, timeout=30))
        for reply in replies:
            assert str(demo_release) not in reply.text
            assert str(PROJECT) not in reply.text
            assert "Traceback" not in reply.text
            assert "site-packages" not in reply.text


class TestCommand:
    def test_it_answers_from_the_workspace_and_ends_with_its_input(self, demo_home: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "mcp", "--home", demo_home], input="", env=environment(), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--http", "8010"], "expected HOST:PORT"),
            (["--http", "127.0.0.1:99999"], "expected HOST:PORT"),
            (["--allow-host", "data.example.org"], "--allow-host needs --http"),
        ],
    )
    def test_wrong_options_are_named(self, demo_release: Path, arguments: list[str], said: str) -> None:
        done = zpo2("mcp", "--release", demo_release, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr

    def test_a_folder_without_a_release_is_named(self, tmp_path: Path) -> None:
        done = zpo2("mcp", "--release", tmp_path)
        assert done.returncode == 1
        assert "name the folder of a release" in done.stderr
        assert "Traceback" not in done.stderr

    def test_without_the_package_the_error_says_what_to_install(self, demo_release: Path, tmp_path: Path) -> None:
        (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n", encoding="utf-8")
        done = zpo2("mcp", "--release", demo_release, PYTHONPATH=f"{tmp_path}:{PROJECT}")
        assert done.returncode == 2
        assert done.stderr == (
            "zpo2 mcp needs the package mcp: install zpo2-warehouse with its extra mcp, or run pip install 'mcp>=2.3,<3'\n"
        )

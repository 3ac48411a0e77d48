"""Several sources that read one file: it is requested once per run, and each source gets its bytes and its own result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult
from pipelines.extract.snapshots import Archive
from pipelines.extract.sources import fetch_sources
from pipelines.packs.workspace import Workspace
from tests.support import ingested
from tests.support.server import Reply, Server, serving

FILE = b"code,births,deaths\nt1,1,2\nt2,3,4\n"
QUICK = Limits(backoff=0, retries=0, per_second=1000)
READ = "read: {format: csv}\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("ZPO2_SECRET_ONE", "s3cret")
    monkeypatch.setenv("ZPO2_SECRET_ONE_HOSTS", "127.0.0.1")
    with serving() as running:
        running.replies["/a.csv"] = [Reply(200, FILE, {"ETag": '"1"'})]
        yield running


def output(column: str, fetch: str, read: str = READ) -> str:
    """Return the declaration of a source that makes a measure of one column."""
    return (
        f"fetch: {{{fetch}}}\n{read}columns: {{code: {{required: true}}, {column}: {{type: number}}}}\ninto: observations\n"
        f"map: {{area: {{scheme: office, code: code}}, period: \"'2024'\", measures: {{{column}: {column}}}}}\n"
    )


class Outputs:
    """A pack whose sources beside the areas read files of a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, **sources: str) -> None:
        texts = {f"sources__{name}_yml": ingested.HEAD.format(id=name) + text for name, text in sources.items()}
        first, *_ = sources.values()
        ingested.write(self.folder / "pack", first, {}, **texts)
        if "s" not in sources:
            (self.folder / "pack/sources/s.yml").unlink()

    def fetch(self) -> dict[str, FetchResult]:
        workspace = Workspace(self.folder / "home", Settings(allow_hosts="127.0.0.1"), pack=packs.load(self.folder / "pack"))
        results = fetch_sources(workspace, limits=QUICK)
        sources = workspace.pack.sources.values()
        assert [(r.request.source.id, r.request.part) for r in results] == [
            (s.id, part) for s in sources for part in workspace.pack.parts(s)
        ]
        return {f"{r.request.source.id} {r.request.part.name}".strip(): r for r in results}


class TestRequests:
    def test_equal_ones_are_sent_once(self, server: Server, tmp_path: Path) -> None:
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv", params: {{n: "1"}}'
        server.replies["/a.csv?n=1"] = server.replies["/a.csv"]
        outputs.write(births=output("births", fetch), deaths=output("deaths", fetch + ", cadence: 0 6 * * 1"))
        results = outputs.fetch()
        assert len(server.requests) == 1
        snapshots = [results[name].snapshot for name in ("births", "deaths")]
        assert [(s.source, s.bytes) for s in snapshots if s] == [("births", len(FILE)), ("deaths", len(FILE))]
        archive = Archive(tmp_path / "home" / "archive")
        assert all(archive.find(s.source, "", s.sha256) for s in snapshots if s)

    def test_later_runs_ask_once_whether_it_changed(self, server: Server, tmp_path: Path) -> None:
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv"'
        outputs.write(births=output("births", fetch), deaths=output("deaths", fetch))
        outputs.fetch()
        server.replies["/a.csv"] = [Reply(304)]
        results = outputs.fetch()
        assert [headers.get("if-none-match") for _, headers in server.requests] == [None, '"1"']
        assert [results[name].snapshot is not None for name in ("births", "deaths")] == [True, True]

    def test_source_that_joins_gets_the_whole_file(self, server: Server, tmp_path: Path) -> None:
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv"'
        outputs.write(births=output("births", fetch))
        outputs.fetch()
        outputs.write(births=output("births", fetch), deaths=output("deaths", fetch))
        results = outputs.fetch()
        assert [headers.get("if-none-match") for _, headers in server.requests] == [None, None]
        assert [r.error for r in results.values()] == [None] * 3

    @pytest.mark.parametrize(
        "other",
        [
            'params: {n: "1"}', "headers: {Accept: text/csv}", "body: {n: 1}", "auth: {bearer_env: ZPO2_SECRET_ONE}",
            "expect: {media_type: text/plain}",
        ],
    )  # fmt: skip
    def test_different_ones_are_sent_each(self, server: Server, tmp_path: Path, other: str) -> None:
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv"'
        server.replies["/a.csv?n=1"] = server.replies["/a.csv"]
        outputs.write(births=output("births", fetch), deaths=output("deaths", f"{fetch}, {other}"))
        outputs.fetch()
        assert len(server.requests) == 2

    def test_of_parts_that_differ_in_the_member_only_are_sent_once(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.zip"] = [Reply(200, b"PK\x03\x04 and so on")]
        fetch = f'url: "{server.url}/a.zip", parts: {{year: ["2023", "2024"]}}'
        outputs = Outputs(tmp_path)
        outputs.write(births=output("births", fetch, 'read: {format: csv, member: "{year}.csv"}\n'))
        results = outputs.fetch()
        assert len(server.requests) == 1
        assert [results[f"births year={year}"].error for year in ("2023", "2024")] == [None, None]

    def test_failure_is_the_result_of_each(self, server: Server, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(500, b"no such token: s3cret")]
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv", auth: {{bearer_env: ZPO2_SECRET_ONE}}'
        outputs.write(births=output("births", fetch), deaths=output("deaths", fetch))
        results = outputs.fetch()
        assert len(server.requests) == 1
        for name in ("births", "deaths"):
            assert "answered 500" in (results[name].error or "")
            assert "s3cret" not in (results[name].error or "")

    def test_what_one_source_refuses_another_may_take(self, server: Server, tmp_path: Path) -> None:
        outputs, fetch = Outputs(tmp_path), f'url: "{server.url}/a.csv"'
        outputs.write(births=output("births", fetch), deaths=output("deaths", f"{fetch}, expect: {{min_bytes: 1000}}"))
        results = outputs.fetch()
        assert len(server.requests) == 1
        assert results["births"].error is None
        assert "expected at least 1000 bytes" in (results["deaths"].error or "")

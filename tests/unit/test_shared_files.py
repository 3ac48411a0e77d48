"""Several sources that read one file: it is requested and parsed once per run, and each source gets its own result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult
from pipelines.extract.snapshots import Archive
from pipelines.extract.sources import fetch_sources
from pipelines.packs.workspace import Workspace
from pipelines.readers import ReadOptions, isolated
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


CSV = "code,births,deaths,note\nt1,1,x,n\nt1,1,x,other\nt2,3,4,n\nt3,bad,5,n\ntotal,9,9,n\n"
JSON = '[{"code": "t1", "births": 1.5, "deaths": 2}, {"code": "t2", "births": 2.0, "deaths": 1.5}]'


def local(column: str, file: str = "x.csv", read: str = READ, more: str = "", declared: str = "{type: number}") -> str:
    """Return the declaration of a source that makes a measure of one column of a file in the pack."""
    text = output(column, f"url: data/{file}", read)
    return text.replace("{type: number}", declared) + more


class TestTables:
    @pytest.fixture
    def parsed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return the formats of the files that a reader reads, except those of the areas."""
        formats: list[str] = []
        read = isolated.read

        def counted(path: Path, options: ReadOptions, *others: Any) -> pl.DataFrame:
            if b"county" not in path.read_bytes():
                formats.append(options.format)
            return read(path, options, *others)

        monkeypatch.setattr(isolated, "read", counted)
        return formats

    def both(self, folder: Path, content: str, births: str, deaths: str) -> list[tuple[Any, ...]]:
        """Return what became of the sources `s` (births) and `z` (deaths), which read one file, with another source between them."""
        between = ingested.HEAD.format(id="u") + local("n", "other.csv")
        files = {"x.csv": content, "y.csv": content, "x.json": content, "other.csv": "code,n\nt1,7\n"}
        result = ingested.ingest(folder, births, files, sources__u_yml=between, sources__z_yml=ingested.HEAD.format(id="z") + deaths)
        assert list(result.reports) == ["a_areas", "s", "u", "z"]
        assert result.of("u").by_area() == {"t1": 7}
        sources = [result.of("s"), result.of("z")]
        return [(s.by_area(), s.reasons(), s.counts(), [r.shape for r in s.report.parts.values()], s.report.errors) for s in sources]

    def test_is_parsed_once_with_the_result_of_each(self, tmp_path: Path, parsed: list[str]) -> None:
        ignoring = "read: {format: csv, ignore: \"code = 'total'\"}\n"
        together = self.both(tmp_path / "a", CSV, local("births"), local("deaths", read=ignoring))
        assert len(parsed) == 2
        apart = self.both(tmp_path / "b", CSV, local("births"), local("deaths", "y.csv", read=ignoring))
        assert len(parsed) == 5
        assert together == apart
        assert together[1][0] == {"t2": 4, "t3": 5, "t1": None}

    @pytest.mark.slow
    def test_source_that_compares_whole_rows_gets_all_columns(self, tmp_path: Path, parsed: list[str]) -> None:
        keyed = local("deaths", more="key: [code]\n")
        together = self.both(tmp_path / "a", CSV, local("births"), keyed)
        assert len(parsed) == 2
        assert together == self.both(tmp_path / "b", CSV, local("births"), keyed.replace("x.csv", "y.csv"))
        assert [row for row, _, _ in together[1][1]] == [2, 3, 6]

    @pytest.mark.slow
    def test_typed_numbers_keep_the_marks_of_their_own_columns(self, tmp_path: Path, parsed: list[str]) -> None:
        read = "read: {format: json}\n"
        births, deaths = local("births", "x.json", read), local("deaths", "x.json", read)
        assert [result[0] for result in self.both(tmp_path / "a", JSON, births, deaths)] == [{"t1": 1.5, "t2": 2}, {"t1": 2, "t2": 1.5}]
        assert len(parsed) == 2
        comma = local("births", "x.json", read, declared='{type: number, decimal: ","}')
        same = local("births", "x.json", read, declared="{type: integer}").replace("{births: births}", "{other: births}")
        results = self.both(tmp_path / "b", JSON, comma, same)
        assert [result[0] for result in results] == [{"t1": 1.5, "t2": 2}, {"t1": None, "t2": 2}]
        assert len(parsed) == 5

    @pytest.mark.slow
    def test_file_that_only_one_source_can_read_is_read_by_each(self, tmp_path: Path) -> None:
        unpivot = "read: {format: csv, unpivot: {columns: [births], name: what, value: note}}\n"
        columns = "columns: {code: {required: true}, what: {}}\n"
        values = f"fetch: {{url: data/x.csv}}\n{unpivot}{columns}into: observations\n"
        values += "map: {area: {scheme: office, code: code}, period: \"'2024'\", where: \"code <> 'total'\", measures: {m: '1'}}\n"
        good, bad = self.both(tmp_path, CSV.replace("t1,1,x,other\n", ""), values, values.replace("what: {}", "what: {}, note: {}"))
        assert good[4] == {}
        assert "the file has a column note" in bad[4][""]

    def test_other_options_read_the_file_again(self, tmp_path: Path, parsed: list[str]) -> None:
        self.both(tmp_path, CSV, local("births"), local("deaths", read="read: {format: csv, na: [x]}\n"))
        assert len(parsed) == 3

"""How dbt is called, and the results it leaves: its process, the parsed project, selections, tests. Imports neither dbt nor Dagster."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

from pipelines import bundled
from pipelines.core import atomic, fingerprint, memory
from pipelines.core.errors import UsageError, Zpo2Error
from pipelines.core.settings import Settings
from pipelines.core.state import log
from pipelines.core.workspace import WorkspaceFolder
from quality.gate import CheckResult

PROJECT_DIR = bundled.DBT_PROJECT


BUILD = ["build", "--exclude-resource-type", "unit_test"]
"""The dbt command of a run. It runs no unit tests: they test the code, not the data."""
SECONDS_TO_END = 10.0


@dataclass(frozen=True)
class Selection:
    """A part of the project that one dbt command builds: what depends on the source `after`, or everything, without what depends on `before`."""

    name: str
    after: str | None
    before: tuple[str, ...]

    def arguments(self) -> list[str]:
        """Return the arguments that select it."""
        excluded = ["--exclude", *(f"source:{name}+" for name in self.before)] if self.before else []
        return [*(["--select", f"source:{self.after}+"] if self.after else []), *excluded]

    def nodes(self, manifest: dict[str, Any]) -> set[str]:
        """Return the ids of the models and tests that the command builds."""
        nodes = {i for i, node in manifest["nodes"].items() if node["resource_type"] in ("model", "test")}
        if self.after:
            nodes &= _dependent(manifest, self.after)
        return nodes.difference(*(_dependent(manifest, name) for name in self.before))


BEFORE_STATISTICS, AFTER_STATISTICS = SELECTIONS = (
    Selection("before_statistics", None, ("statistics",)),
    Selection("after_statistics", "statistics", ()),
)
BEFORE_SUPPRESSION, AFTER_SUPPRESSION = (
    Selection("before_suppression", None, ("suppression", "statistics")),
    Selection("after_suppression", "suppression", ("statistics",)),
)
ALL_SELECTIONS = (BEFORE_SUPPRESSION, AFTER_SUPPRESSION, *SELECTIONS)


def selections(*, suppresses: bool) -> tuple[Selection, ...]:
    """Return the selections of a run in order. A run that may suppress cells chooses them before it builds the published ones."""
    return (BEFORE_SUPPRESSION, AFTER_SUPPRESSION, AFTER_STATISTICS) if suppresses else SELECTIONS


def _dependent(manifest: dict[str, Any], source: str) -> set[str]:
    """Return the ids of everything that depends on a source."""
    return set(_descendants(manifest, (i for i, s in manifest["sources"].items() if s["source_name"] == source)))


def _descendants(manifest: dict[str, Any], ids: Iterable[str]) -> Iterator[str]:
    """Yield the ids of everything that depends on `ids`."""
    seen: set[str] = set()
    rest = list(ids)
    while rest:
        for child in manifest["child_map"].get(rest.pop(), []):
            if child not in seen:
                seen.add(child)
                rest.append(child)
                yield child


def environment(workspace: WorkspaceFolder) -> dict[str, str]:
    """Return the environment of dbt's process: the workspace, this project's modules, and `dbt` on PATH even without an activated venv."""
    scripts = str(Path(sys.executable).parent)
    settings = Settings()
    return {
        "ZPO2_ENGINE": settings.engine,
        **({} if settings.profiles else {"SPARK_LOCAL_IP": "127.0.0.1"}),  # no other machine has to reach it
        "ZPO2_HOME": str(workspace.root),
        "DBT_PROFILES_DIR": str((settings.profiles or PROJECT_DIR).absolute()),
        "DBT_TARGET_PATH": str(workspace.dbt / "target"),
        "DBT_LOG_PATH": str(workspace.dbt / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DBT_LOG_LEVEL_FILE": "none",  # the log of the run holds what dbt prints
        "ZPO2_UNCHANGED": str(unchanged_path(workspace)),
        "ZPO2_ENGINE_MEMORY": f"{memory.budget(settings.memory).engine // 2**20}MiB",
        "ZPO2_SPILL": settings.spill or f"{shutil.disk_usage(workspace.root).free * 9 // 10 // 2**20}MiB",
        "PYTHONPATH": os.pathsep.join([str(bundled.PACKAGES), *filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))]),
        "PYTHONSAFEPATH": "1",  # a module in the working folder is never imported in place of a library's
        "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
    }


def unchanged_path(workspace: WorkspaceFolder) -> Path:
    """The list of measures and indicators that a run does not compute again (see `scope`)."""
    return workspace.dbt / "unchanged.parquet"


@lru_cache(maxsize=1)
def project_digest() -> str:
    """Return a hash of the files of the dbt project. A parsed manifest is valid for one hash."""
    digest = hashlib.sha256()
    for path in sorted(p for p in PROJECT_DIR.rglob("*") if p.is_file() and p.suffix in (".sql", ".yml", ".py", ".md")):
        name = path.relative_to(PROJECT_DIR)
        if "target" not in name.parts:
            digest.update(str(name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _cache_key() -> str:
    """Return a hash of everything that the parsed project depends on: its place, its files and the versions of dbt."""
    engine = Settings().engine
    return fingerprint.digest([str(PROJECT_DIR), project_digest(), version("dbt-core"), engine, version(f"dbt-{engine}")])[:16]


def manifest_path(workspace: WorkspaceFolder) -> Path:
    """The parsed project as JSON, for every reader. It stays valid as long as the project's files and dbt stay the same."""
    return workspace.dbt / f"manifest-{_cache_key()}.json"


def cached_paths(workspace: WorkspaceFolder) -> tuple[Path, Path]:
    """The parsed project as JSON and in the form that dbt itself reads, where all workspaces of the user find it."""
    folder = cache_folder(workspace)
    return folder / f"manifest-{_cache_key()}.json", folder / f"parsed-{_cache_key()}.msgpack"


def cache_folder(workspace: WorkspaceFolder) -> Path:
    """Return the folder of the parsed project: the user's cache, which all workspaces share, else the workspace itself.

    The cache holds code that dbt executes. It is used only if it belongs to the user, and nobody else can write to it.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zpo2"
        if not folder.is_absolute():
            return workspace.dbt
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid == os.geteuid() and not status.st_mode & 0o022 and os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # no home, or one that cannot be written to
        pass
    return workspace.dbt


class DbtError(Zpo2Error):
    """dbt could not parse the project, or its process ended before its work."""


def check_engine(settings: Settings) -> None:
    """Make sure that what the engine needs is installed. Raises UsageError."""
    if settings.engine == "duckdb":
        return
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UsageError("ZPO2_ENGINE is spark, but there is no Java: install Java 17 or later, and set JAVA_HOME or PATH")
    for name in ("dbt-spark", "pyspark"):
        try:
            version(name)
        except PackageNotFoundError:
            raise UsageError(f"ZPO2_ENGINE is spark, but {name} is not installed: install zpo2-warehouse[spark]") from None


class DbtProcess:
    """The one process in which dbt works for a run (see `dbt_process`). It imports dbt while this process imports other libraries."""

    def __init__(self, workspace: WorkspaceFolder) -> None:
        self.workspace = workspace
        self._process: subprocess.Popen[str] | None = None
        self._is_ready = False
        self._answer: dict[str, Any] = {}

    def start(self) -> None:
        """Start the process, unless it runs already."""
        if self._process is None:
            files = (str(PROJECT_DIR), *map(str, cached_paths(self.workspace)))
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "pipelines.warehouse.dbt_process", *files],
                env={**os.environ, **environment(self.workspace)}, stdin=PIPE, stdout=PIPE, stderr=STDOUT, encoding="utf-8", errors="replace",
            )  # fmt: skip
            self._is_ready = False

    def manifest(self) -> dict[str, Any]:
        """Return the parsed project from the workspace, or else from the cache. Where neither has it, dbt parses it now.

        Raises DbtError, and UsageError where the engine is not installed.
        """
        check_engine(self.workspace.settings)
        try:
            return self._manifest()
        except ValueError:
            files = {manifest_path(self.workspace), *cached_paths(self.workspace)}
            log.warning(f"dbt's parsed project is damaged, and is parsed again: {', '.join(map(str, sorted(files)))}")
        self.close()  # it may have read the damaged files
        for file in files:
            file.unlink(missing_ok=True)
        return self._manifest()

    def _manifest(self) -> dict[str, Any]:
        path, (cached, _) = manifest_path(self.workspace), cached_paths(self.workspace)
        if not path.is_file():
            if not cached.is_file():
                self._wait_until_ready()
            if cached != path:
                with atomic.atomic_write(path) as target:
                    target.write_bytes(cached.read_bytes())
        return load_manifest(self.workspace)

    def build(self, selection: Selection, arguments: Sequence[str] = ()) -> Iterator[str]:
        """Build a selection, or the part of it that `arguments` select, and yield what dbt prints, line by line.

        Afterwards the warehouse is closed, and `results` and `errors` say how each node ended. Raises DbtError where dbt could not begin,
        or its process has ended.
        """
        self._wait_until_ready()
        written = self.workspace.dbt / "target" / "run_results.json"
        written.unlink(missing_ok=True)
        try:
            rebuild = ["--full-refresh"] if self.workspace.settings.engine == "spark" else []  # also where a metastore has the old tables
            self._request([*BUILD, *rebuild, *(arguments or selection.arguments())])
            yield from self._lines()
        except BaseException:  # also a reader that stops in the middle
            self.close()
            raise
        if not written.is_file():
            raise DbtError(f"dbt cannot build the project: {_one_line(self._answer['error'])}")
        path = results_path(self.workspace, selection)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(written, path)

    def close(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.close()  # ends it
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def kill(self) -> None:
        """Stop the process in the middle of its work. Whoever waits for it gets a DbtError."""
        if self._process is not None:
            self._process.kill()

    def _wait_until_ready(self) -> None:
        self.start()
        if self._is_ready:
            return
        for _ in self._lines():  # dbt prints nothing but what an error says, too
            pass
        if not self._answer["success"]:
            self.close()
            raise DbtError(f"dbt cannot parse the project: {_one_line(self._answer['error'])}")
        self._is_ready = True

    def _request(self, arguments: list[str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the process has ended: whoever reads its output learns so
            self._process.stdin.write(json.dumps(arguments) + "\n")
            self._process.stdin.flush()

    def _lines(self) -> Iterator[str]:
        """Yield what the process prints before its next answer, and keep the answer."""
        assert self._process is not None
        assert self._process.stdout is not None
        last = ""
        for line in self._process.stdout:
            if line.startswith('{"answer": '):
                self._answer = json.loads(line)["answer"]
                return
            last = line
            yield line.rstrip("\n")
        code = self._process.wait()
        self.close()
        how = f"the signal {signal.Signals(-code).name} ended it" if code < 0 else f"exit code {code}: {_one_line(last)}"
        raise DbtError(f"the process of dbt ended before its work was done ({how})")


def _one_line(text: str) -> str:
    return " ".join(text.split())[-2000:] or "it gives no reason"


def load_manifest(workspace: WorkspaceFolder) -> dict[str, Any]:
    """Return the parsed project of the workspace. Raises ValueError where its file is damaged."""
    loaded = json.loads(manifest_path(workspace).read_text(encoding="utf-8"))
    if not isinstance(loaded, dict) or not {"metadata", "nodes", "sources", "child_map", "parent_map"} <= loaded.keys():
        raise ValueError("not a manifest of dbt")
    return loaded


def data_tests(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            yield node


def check_name(node: dict[str, Any]) -> str:
    return f"model:{node['name']}"


def expected_checks(manifest: dict[str, Any]) -> set[str]:
    """Return the names of all data tests that have to run."""
    return {check_name(node) for node in data_tests(manifest)}


SLOWEST = 5  # models whose seconds are kept with the metrics of a run


def results_path(workspace: WorkspaceFolder, selection: Selection) -> Path:
    """The results of the last dbt command that built `selection`."""
    return workspace.dbt / "results" / f"{selection.name}.json"


def forget_results(workspace: WorkspaceFolder) -> None:
    for selection in ALL_SELECTIONS:
        results_path(workspace, selection).unlink(missing_ok=True)


def _results(workspace: WorkspaceFolder, selections: Iterable[Selection]) -> Iterator[dict[str, Any]]:
    for selection in selections:
        yield from atomic.read_json(results_path(workspace, selection), {"results": []})["results"]


def slowest_models(workspace: WorkspaceFolder, count: int = SLOWEST) -> list[dict[str, Any]]:
    """Return the models that took longest in the last run, each with its seconds."""
    models = [item for item in _results(workspace, ALL_SELECTIONS) if item["unique_id"].startswith("model.")]
    models.sort(key=lambda item: -float(item.get("execution_time") or 0))
    return [
        {"model": item["unique_id"].rsplit(".", 1)[-1], "seconds": round(float(item.get("execution_time") or 0), 3)}
        for item in models[:count]
    ]


def results(workspace: WorkspaceFolder, manifest: dict[str, Any]) -> list[CheckResult]:
    """Return one result for each data test of the last run."""
    by_id = {node["unique_id"]: node for node in data_tests(manifest)}
    checks = []
    for item in _results(workspace, ALL_SELECTIONS):
        node = by_id.get(item["unique_id"])
        if node is None or item["status"] == "skipped":
            continue
        severity = "warn" if node["config"].get("meta", {}).get("gate") == "warn" else "error"
        text = item.get("message") or item["status"]
        checks.append(CheckResult(check_name(node), item["status"] == "pass", severity, text if item["status"] != "pass" else ""))
    return checks


def errors(workspace: WorkspaceFolder, selection: Selection) -> list[str]:
    """Return one line for each node of a selection that ended in an error."""
    return [
        f"{item['unique_id'].split('.', 2)[-1]}: {_one_line(disk_fault(workspace, item.get('message') or '') or item.get('message') or 'error')}"
        for item in _results(workspace, [selection])
        if item["status"] == "error"
    ]


def disk_fault(workspace: WorkspaceFolder, message: str) -> str | None:
    """Return a sentence for an error of the engine that means a full disk or a reached limit; None for any other error."""
    if "max_temp_directory_size" in message:
        return (
            f"what does not fit into memory needs more space in {workspace.root / 'spill'} than it may use; "
            "free space on the disk, or set ZPO2_SPILL or ZPO2_MEMORY to more"
        )
    if "No space left on device" in message:
        free = shutil.disk_usage(workspace.root).free
        return f"the disk of {workspace.root} is full: {free // 10**6} MB are free"
    return None

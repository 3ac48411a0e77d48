"""The one process of dbt that a run has: it builds two selections that together are the project, and neither process outlives the other's end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import RunRequest
from pipelines.warehouse import dbt
from tests.support import five_places
from tests.support.command import start, zpo2

pytestmark = pytest.mark.slow


@pytest.fixture
def home(five_home: Path, tmp_path: Path) -> WorkspaceFolder:
    return WorkspaceFolder(shutil.copytree(five_home, tmp_path / "home", ignore=shutil.ignore_patterns("run.lock")))


def dbt_of(home: Path) -> list[int]:
    """Return the ids of dbt's processes that work in `home`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode().split("\0")
                variables = (folder / "environ").read_bytes().decode().split("\0")
            except OSError:
                continue  # it has ended
            if "pipelines.warehouse.dbt_process" in command and f"ZPO2_HOME={home}" in variables:
                found.append(int(folder.name))
    return found


def started(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a run of the five-places pack and return it as soon as dbt has opened the warehouse, with its home."""
    pack, home = five_places.write(tmp_path / "pack", pack_yml=five_places.ONLY_TABLES), tmp_path / "home"
    run = start("run", "--pack", pack, "--home", home, log=tmp_path / "log")
    while run.poll() is None and not (home / "warehouse.duckdb").exists():
        time.sleep(0.01)
    assert run.poll() is None, (tmp_path / "log").read_text()
    return run, home


def ended(home: Path) -> bool:
    """Return whether all of dbt's processes in `home` end within ten seconds."""
    for _ in range(100):
        if not dbt_of(home):
            return True
        time.sleep(0.1)
    return False


def test_a_run_whose_dbt_is_killed_fails_with_a_sentence_and_the_next_one_works(tmp_path: Path) -> None:
    run, home = started(tmp_path)
    [process] = dbt_of(home)
    os.kill(process, signal.SIGKILL)
    assert run.wait(120) == 1
    printed = (tmp_path / "log").read_text()
    assert printed.count("the process of dbt ended before its work was done (the signal SIGKILL ended it)") == 1, printed
    assert "Traceback" not in printed
    assert not (home / "public" / "latest.json").exists()
    again = zpo2("run", "--pack", tmp_path / "pack", "--home", home)
    assert again.returncode == 0, again.stdout + again.stderr
    assert ended(home)


def test_dbt_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    run, home = started(tmp_path)
    run.kill()  # not its children
    run.wait()
    assert ended(home)


def test_the_selections_are_what_dbt_selects_and_together_the_whole_project(five_home: Path) -> None:
    home = WorkspaceFolder(five_home)
    manifest = dbt.load_manifest(home)
    before, after = (s.nodes(manifest) for s in dbt.SELECTIONS)
    assert before & after == set()
    assert before | after == {i for i, node in manifest["nodes"].items() if node["resource_type"] != "operation"}
    for selection in dbt.SELECTIONS:
        built = json.loads(dbt.results_path(home, selection).read_text(encoding="utf-8"))["results"]
        assert {item["unique_id"] for item in built if not item["unique_id"].startswith("operation.")} == selection.nodes(manifest)
    assert {"model.zpo2.int_peers", "model.zpo2.mart_peers"} <= after
    assert {"model.zpo2.int_peer_attributes", "model.zpo2.int_indicator_cells"} <= before
    assert {"model.zpo2.int_intervals", "model.zpo2.mart_indicator_values"} <= after


def test_every_test_of_one_model_is_a_check_of_its_asset(five_home: Path) -> None:
    from pipelines.orchestration.definitions import build_definitions
    from pipelines.orchestration.session import RunSession

    session = RunSession(RunRequest(Workspace(five_home, Settings(), pack=packs.load(five_home.parent / "pack"))))
    checks = {key.name for key in build_definitions(session).resolve_asset_graph().asset_check_keys}
    tests = {node["name"] for node in dbt.data_tests(dbt.load_manifest(session.workspace)) if node.get("attached_node")}
    assert {"valid_mart_areas", "valid_stg_observations"} <= tests
    assert len(tests) > 50
    assert tests <= checks


def test_a_selection_that_dbt_does_not_know_is_an_error_and_the_next_one_works(home: WorkspaceFolder) -> None:
    process = dbt.DbtProcess(home)
    try:
        with pytest.raises(dbt.DbtError, match=r"dbt cannot build the project: .*no_such_method"):
            list(process.build(dbt.AFTER_STATISTICS, ["--select", "no_such_method:x"]))
        printed = list(process.build(dbt.AFTER_STATISTICS, ["--select", "stg_pack"]))
        assert any('"unique_id": "model.zpo2.stg_pack"' in line for line in printed)
        assert dbt.errors(home, dbt.AFTER_STATISTICS) == []
    finally:
        process.close()


def test_a_node_that_fails_is_named(home: WorkspaceFolder) -> None:
    home.manifest.unlink()
    process = dbt.DbtProcess(home)
    try:
        list(process.build(dbt.BEFORE_STATISTICS, ["--select", "stg_pack"]))
    finally:
        process.close()
    [message] = dbt.errors(home, dbt.BEFORE_STATISTICS)
    assert message.startswith("stg_pack: ")
    assert "holds no lake" in message


@pytest.mark.parametrize(
    ("change", "test", "message"),
    [
        ("update marts.areas set lat = 91 where ref_area = 'a1'", "mart_areas", "lat: between does not hold for 1 row"),
        ("insert into marts.areas from marts.areas where ref_area = 'a1'", "mart_areas", "ref_area: unique_key does not hold for 2 rows"),
        ("delete from marts.areas where ref_area = 'a1'", "mart_area_parents", "ref_area: relationships does not hold for 2 rows"),
        ("insert into marts.peers (ref_area, peer, position) values ('a1', 'a2', 99)", "mart_peers", "distance: not_null does not hold for 1 row"),
        ("update marts.indicator_values set obs_value = null, obs_status = '?' where rowid = 0", "mart_indicator_values",
         "obs_status: accepted_values does not hold for 1 row"),
        ("update marts.indicator_values set obs_status = null, ref_area = 'none' where ref_area = 'a1'", "mart_indicator_values",
         "obs_value: value_or_reason does not hold for N rows; ref_area: relationships does not hold for N rows"),
        ("update marts.sources set rows_ignored = rows_ignored + 1", "mart_sources", "rows_read: nothing_lost does not hold for N rows"),
    ],
)  # fmt: skip
def test_a_failed_test_names_each_broken_rule(home: WorkspaceFolder, change: str, test: str, message: str) -> None:
    with duckdb.connect(str(home.warehouse)) as warehouse:
        ((changed,),) = warehouse.execute(change).fetchall()
    process = dbt.DbtProcess(home)
    try:
        manifest = process.manifest()
        list(process.build(dbt.BEFORE_STATISTICS, ["--select", f"valid_{test}"]))
    finally:
        process.close()
    dbt.results_path(home, dbt.AFTER_STATISTICS).unlink()
    [check] = dbt.results(home, manifest)
    assert (check.name, check.passed, check.severity) == (f"model:valid_{test}", False, "error")
    assert check.description == message.replace("N", str(changed))


def test_a_second_workspace_reads_the_parsed_project_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    manifests = []
    for name in ("one", "two"):
        workspace = WorkspaceFolder(tmp_path / name)
        workspace.claim("five")
        process = dbt.DbtProcess(workspace)
        manifests.append(process.manifest())
        process.close()
    assert manifests[0] == manifests[1]
    assert (tmp_path / "one" / "dbt" / "target").is_dir()
    assert not (tmp_path / "two" / "dbt" / "target").exists()
    assert (tmp_path / "cache" / "zpo2").stat().st_mode & 0o777 == 0o700


def test_a_cache_that_others_can_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    workspace = WorkspaceFolder(tmp_path / "home")
    assert dbt.cache_folder(workspace) == tmp_path / "zpo2"
    (tmp_path / "zpo2").chmod(0o777)
    assert dbt.cache_folder(workspace) == workspace.dbt
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.chdir(tmp_path)
    assert dbt.cache_folder(workspace) == workspace.dbt

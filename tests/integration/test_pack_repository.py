"""templates/pack-repository: its pack has no fault, and its workflow is valid and runs commands that exist.

The steps that run commands are executed in a copy of the template; those that use actions of the host are checked by their names.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from pipelines.cli.app import app
from tests.support.command import EPOCH, PROJECT, environment, zpo2

TEMPLATE = PROJECT / "templates" / "pack-repository"
TEXT = (TEMPLATE / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.load(TEXT, Loader=yaml.BaseLoader)  # `on` stays text
JOB: dict[str, Any] = WORKFLOW["jobs"]["publish"]
STEPS: list[dict[str, Any]] = JOB["steps"]
SCRIPTS = {step["name"]: step["run"] for step in STEPS if "run" in step}
README = (TEMPLATE / "README.md").read_text(encoding="utf-8")
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def index(start: str) -> int:
    """Return the place of the step whose name or action begins with `start`."""
    return next(i for i, step in enumerate(STEPS) if (step.get("name") or step["uses"]).startswith(start))


def test_the_pack_of_the_template_has_no_fault() -> None:
    done = zpo2("check", "--pack", TEMPLATE / WORKFLOW["env"]["ZPO2_PACK"])
    assert done.returncode == 0, done.stderr


def test_a_step_runs_commands_or_uses_an_action() -> None:
    assert set(WORKFLOW) == {"name", "on", "permissions", "concurrency", "env", "jobs"}
    assert all(("run" in step) != ("uses" in step) for step in STEPS)
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", step["uses"]) for step in STEPS if "uses" in step)
    ids = {step["id"] for step in STEPS if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.", TEXT)) == ids
    assert set(re.findall(r"inputs\.(\w+)", TEXT)) == set(WORKFLOW["on"]["workflow_dispatch"]["inputs"])


def test_it_runs_by_the_clock_and_only_one_run_at_a_time() -> None:
    from croniter import croniter

    assert [croniter.is_valid(entry["cron"]) for entry in WORKFLOW["on"]["schedule"]] == [True]
    assert WORKFLOW["concurrency"] == {"group": "publish", "cancel-in-progress": "false"}


def test_the_token_may_do_what_the_steps_need_and_no_more() -> None:
    assert WORKFLOW["permissions"] == {"actions": "read", "contents": "read", "pages": "write", "id-token": "write"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_valid_and_its_zpo2_commands_exist(name: str) -> None:
    assert "${{" not in SCRIPTS[name], "values come through variables: what they hold is never a part of a script"
    assert subprocess.run(["bash", "-n", "-c", SCRIPTS[name]], check=False).returncode == 0
    for line in SCRIPTS[name].splitlines():
        words = shlex.split(line)
        if words and words[0] == "zpo2":
            assert words[1] in COMMANDS | {"--version"}


def test_the_home_is_kept_between_runs_and_what_is_published_comes_out_of_it() -> None:
    home = WORKFLOW["env"]["ZPO2_HOME"]
    restore, save = STEPS[index("Bring back the home")], STEPS[index("Keep the home")]
    assert restore["with"]["path"] == save["with"]["path"] == home
    assert restore["with"]["key"] == save["with"]["key"]
    assert restore["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert save["if"].startswith("always()"), "also after a run that has failed: what it has fetched is not lost"
    assert STEPS[index("Hand over")]["with"]["path"] == f"{home}/public"
    assert STEPS[index("Fetch the backup")]["with"]["name"] == STEPS[index("Keep the backup")]["with"]["name"]
    order = ["Install", "Check", "Bring back", "Restore", "Stop if", "Run the pack", "Keep the home", "Pack the backup", "Publish the site"]
    assert [index(start) for start in order] == sorted(index(start) for start in order)
    assert f"/{home}/" in (TEMPLATE / ".gitignore").read_text().splitlines()


def test_the_readme_names_what_the_workflow_has() -> None:
    for key in WORKFLOW["on"]["workflow_dispatch"]["inputs"]:
        assert f"**{key.replace('_', ' ')}**" in README
    assert [name for name in re.findall(r"vars\.(\w+)", TEXT) if f"`{name}`" not in README] == []
    assert f"for {STEPS[index('Keep the backup')]['with']['retention-days']} days" in README
    section = re.search(r'section "([^"]+)"', TEXT)
    assert section is not None
    assert f"## {section[1]}\n" in README


# ---- the scripts, executed


class Runner:
    """A copy of the template, and the scripts of the workflow in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(TEMPLATE, folder / "repository")
        programs = folder / "bin"
        programs.mkdir()
        (programs / "zpo2").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pipelines.cli "$@"\n', encoding="utf-8")
        # pip must not change this venv, and there is no site to ask
        (programs / "python").write_text('#!/bin/sh\necho "$@" > installed\n', encoding="utf-8")
        (programs / "curl").write_text('#!/bin/sh\ntest -n "$PUBLISHED"\n', encoding="utf-8")
        for program in programs.iterdir():
            program.chmod(0o755)
        self.path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def run(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]],
            cwd=self.folder, env=environment(**WORKFLOW["env"], PATH=self.path, SOURCE_DATE_EPOCH=EPOCH, **variables),
            capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.mark.slow
def test_the_scripts_publish_keep_and_restore(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert runner.run("Install the software", SOFTWARE="").returncode == 1
    assert runner.run("Install the software", SOFTWARE="./zpo2.whl").returncode == 0
    assert (runner.folder / "installed").read_text() == "-m pip install ./zpo2.whl\n"
    for name in ("Check the pack", "Run the pack", "Remove old releases", "Pack the backup"):
        done = runner.run(name)
        assert done.returncode == 0, done.stdout + done.stderr
    latest = json.loads((runner.folder / "home" / "public" / "latest.json").read_bytes())
    (runner.folder / "home").rename(tmp_path / "lost")
    assert runner.run("Restore the backup").returncode == 0
    again = runner.run("Run the pack")
    assert "(unchanged)" in again.stdout, again.stdout + again.stderr
    assert json.loads((runner.folder / "home" / "public" / "latest.json").read_bytes()) == latest


def test_a_lost_home_stops_the_run_only_if_something_was_published(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert runner.run("Stop if the home is lost", SITE="https://town.example.org", PUBLISHED="").returncode == 0
    done = runner.run("Stop if the home is lost", SITE="https://town.example.org", PUBLISHED="yes")
    assert done.returncode == 1
    assert "::error::" in done.stdout


@pytest.mark.slow
def test_a_stale_source_does_not_stop_the_workflow_and_a_broken_pack_does(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert runner.run("Run the pack").returncode == 0
    (runner.folder / "pack" / "data" / "people.csv").unlink()
    stale = runner.run("Run the pack")
    assert stale.returncode == 0, stale.stdout + stale.stderr
    assert "people" in stale.stdout
    (runner.folder / "pack" / "pack.yml").write_text("surprise: 1\n", encoding="utf-8")
    assert runner.run("Run the pack").returncode != 0
    assert runner.run("Check the pack").returncode != 0

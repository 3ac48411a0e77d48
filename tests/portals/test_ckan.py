"""`zpo2 push ckan` against CKAN itself, with the DataStore, ckanext-dcat and ckanext-xloader. The tests build on each other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pushing import VERSIONS, command

from tests.portals import ckan_server
from tests.support.command import environment

FIRST, SECOND = VERSIONS
VARIABLE = "ZPO2_SECRET_CKAN"


class Portal:
    """The portal as the publisher of the datasets sees it."""

    def __init__(self, home: Path, tokens: dict[str, str]) -> None:
        self.tokens = tokens
        self.arguments = [
            "ckan", "--home", str(home), "--url", ckan_server.URL, "--api-key-env", VARIABLE, "--owner-org", ckan_server.ORGANISATION,
        ]  # fmt: skip

    def run(self, *arguments: str, key: str = "") -> subprocess.CompletedProcess[str]:
        return command(*self.arguments, *arguments, **{VARIABLE: key or self.tokens["publisher"]})

    def push(self, *arguments: str) -> list[str]:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def call(self, action: str, user: str = "publisher", **body: object) -> Any:
        return ckan_server.call(action, self.tokens[user], **body)

    def dataset(self, name: str) -> Any:
        return self.call("package_show", id=name)


@pytest.fixture(scope="module")
def portal(home: Path, ckan: dict[str, str]) -> Portal:
    return Portal(home, ckan)


def test_first_push_waits_for_review(portal: Portal) -> None:
    assert portal.push("--version", FIRST, "--only", "territory", "--private")[-1].endswith("1 changed")
    assert portal.dataset("demo-territory")["private"] is True
    assert portal.push("--version", FIRST, "--public")[-1].endswith("3 changed")
    assert portal.dataset("demo-territory")["private"] is False
    assert portal.push("--version", FIRST)[-1].endswith("nothing to do")


def test_changed_release_keeps_ids(portal: Portal) -> None:
    before = portal.dataset("demo-territory")
    portal.push()
    after = portal.dataset("demo-territory")
    assert after["version"] == SECOND
    assert [r["id"] for r in after["resources"]] == [r["id"] for r in before["resources"]]
    assert portal.push()[-1].endswith("nothing to do")


def test_loader_keeps_periods_as_text(portal: Portal) -> None:
    portal.push("--upload")
    folder = Path(os.environ["REAL_PORTALS"])
    worker = [str(folder / "ckan-venv" / "bin" / "ckan"), "-c", str(folder / "ckan.ini"), "jobs", "worker", "--burst"]
    subprocess.run(worker, capture_output=True, timeout=600, check=True)
    resource = next(r for r in portal.dataset("demo-women")["resources"] if r["url"].endswith("share.csv"))
    types = {f["id"]: f["type"] for f in portal.call("datastore_search", resource_id=resource["id"], limit=0)["fields"]}
    assert types["time_period"] == "text"
    messages = portal.push("--upload")
    assert not any(": upload " in line for line in messages), "the loader's checksum does not make the push send files again"
    assert portal.push("--upload")[-1].endswith("nothing to do")
    portal.push("--links")


def test_renamed_dataset_keeps_its_name(portal: Portal) -> None:
    portal.call("package_patch", id="demo-territory", name="districts")
    assert portal.push()[-1].endswith("nothing to do")
    portal.call("package_patch", id="districts", name="demo-territory")


def test_handmade_dataset_is_adopted_on_request(portal: Portal) -> None:
    portal.call("package_create", name="new-territory", title="Handmade", owner_org=ckan_server.ORGANISATION)
    done = portal.run("--prefix", "new", "--only", "territory")
    assert done.returncode == 1
    assert "--adopt new-territory" in done.stderr
    assert portal.dataset("new-territory")["title"] == "Handmade"
    portal.push("--prefix", "new", "--only", "territory", "--adopt", "new-territory")
    assert portal.dataset("new-territory")["title"] == "Areas, their codes and similar areas (Demo indicators)"
    assert portal.push("--prefix", "new", "--only", "territory")[-1].endswith("nothing to do")


def test_deleted_dataset_does_not_block_others(portal: Portal) -> None:
    portal.call("package_delete", id="demo-territory")
    done = portal.run("--version", FIRST)
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["demo-territory"]
    assert portal.dataset("demo-women")["version"] == FIRST
    portal.call("package_patch", "administrator", id="demo-territory", state="active")
    portal.push()


def test_dataset_of_another_organisation_is_not_moved(portal: Portal) -> None:
    portal.call("package_owner_org_update", "administrator", id="demo-territory", organization_id=ckan_server.OTHER_ORGANISATION)
    done = portal.run(key=portal.tokens["administrator"])
    assert done.returncode == 1
    assert f"belongs to the organisation {ckan_server.OTHER_ORGANISATION}" in done.stderr
    portal.call("package_owner_org_update", "administrator", id="demo-territory", organization_id=ckan_server.ORGANISATION)


def test_dead_key_is_noticed(portal: Portal) -> None:
    assert portal.push()[-1].endswith("nothing to do")
    done = portal.run(key="a-dead-key")
    assert done.returncode == 1
    assert f"does not accept the key in {VARIABLE}" in done.stderr


def test_two_pushes_at_once(portal: Portal) -> None:
    command_line = [sys.executable, "-m", "pipelines.cli", "push", *portal.arguments, "--prefix", "twice"]
    variables = environment(**{VARIABLE: portal.tokens["publisher"]})
    pushes = [subprocess.Popen(command_line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    outputs = [push.communicate(timeout=300)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0], outputs
    assert portal.push("--prefix", "twice")[-1].endswith("nothing to do")


@pytest.mark.parametrize("seconds", [2, 3, 4])
def test_continues_after_kill(portal: Portal, seconds: int) -> None:
    prefix = f"killed{seconds}"
    arguments = [*portal.arguments, "--prefix", prefix, "--upload"]
    running = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "push", *arguments],
        env=environment(**{VARIABLE: portal.tokens["publisher"]}), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    running.kill()
    running.wait()
    portal.push("--prefix", prefix, "--upload")
    assert portal.push("--prefix", prefix, "--upload")[-1].endswith("nothing to do")

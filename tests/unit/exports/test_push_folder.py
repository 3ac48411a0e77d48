"""`zpo2 push dir`: a reader of the target always finds a whole release, the old one or the new one."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pushing import VERSIONS, command, copy_of, damage, home_with_two_releases, killed, starved, tree, withdraw

from exports.model import checksums
from exports.model.errors import ReleaseRequestError
from exports.push import errors, folder, push_plan
from exports.push.errors import PushError
from exports.release import ledger, lifecycle
from tests.unit.test_import_budget import HEAVY, imported_by

pytestmark = pytest.mark.slow

FIRST, SECOND = VERSIONS


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "portal"


def push(home: Path, target: Path, version: str | None = None, *, dry_run: bool = False) -> list[str]:
    messages: list[str] = []
    folder.push(push_plan.select_release(home / "public", version), target, messages.append, dry_run=dry_run)
    return messages


def served(target: Path) -> str:
    """Return the version that a reader of the target gets, after checking every byte of it."""
    latest = json.loads((target / "latest.json").read_bytes())
    assert checksums.faults(target / latest["path"]) == []
    return str(latest["version"])


def pushed_before(home: Path, target: Path) -> dict[str, bytes]:
    """Put the first release into the target as if pushed while it was current. Return the files of the target."""
    shutil.copytree(home / "public" / "releases" / FIRST, target / "releases" / FIRST)
    latest = {"version": FIRST, "released": "2026-11-03T08:30:00Z", "path": f"releases/{FIRST}/"}
    (target / "latest.json").write_text(json.dumps(latest), encoding="utf-8")
    return tree(target)


class TestInterruptedPush:
    @pytest.mark.parametrize(
        "step",
        [
            "before exports.push.folder._copy_file 7",
            "before exports.push.folder._move_into_place 1",
            "after exports.push.folder._move_into_place 1",
        ]
        + [f"before exports.push.folder._replace {n}" for n in (1, 2)],
    )
    def test_continues_after_kill(self, two_releases: Path, target: Path, step: str) -> None:
        before = pushed_before(two_releases, target)
        killed(step, "dir", "--home", two_releases, "--to", target)
        assert served(target) == FIRST
        assert {path: content for path, content in tree(target).items() if path in before and path != "releases.json"} == before
        done = command("dir", "--home", two_releases, "--to", target)
        assert (done.returncode, done.stderr) == (0, "")
        assert served(target) == SECOND
        assert not (target / folder.WORK).exists()

    def test_reuses_copied_files(self, two_releases: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        killed("before exports.push.folder._copy_file 20", "dir", "--home", two_releases, "--to", target)
        copied: list[str] = []
        original = folder._copy_file

        def copy(source: Path, *rest: Any) -> Any:
            copied.append(source.name)
            return original(source, *rest)

        monkeypatch.setattr(folder, "_copy_file", copy)
        push(two_releases, target)
        assert len(copied) == len(push_plan.select_release(two_releases / "public", None).files) - 19
        assert served(target) == SECOND

    def test_copies_partial_file_again(self, two_releases: Path, target: Path) -> None:
        copy = target / folder.WORK / SECOND / "csv" / "areas.csv"
        copy.parent.mkdir(parents=True)
        copy.write_bytes((two_releases / "public" / "releases" / SECOND / "csv" / "areas.csv").read_bytes()[:-5])
        (copy.parent / "of_nobody.csv").write_text("", encoding="utf-8")
        push(two_releases, target)
        assert served(target) == SECOND

    def test_cleans_up_when_disk_is_full(self, two_releases: Path, target: Path) -> None:
        before = pushed_before(two_releases, target)
        done = starved(50_000, "dir", "--home", two_releases, "--to", target)
        assert done.returncode == 1
        assert "File too large" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert tree(target) == before


class TestSelectRelease:
    def test_puts_latest_json_last(self, two_releases: Path) -> None:
        assert list(push_plan.select_release(two_releases / "public", None).pointer_files)[-2:] == ["releases.json", "latest.json"]

    def test_rejects_content_of_withdrawn_release(self, two_releases: Path, tmp_path: Path) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        withdraw(home, SECOND)
        path = home / "public" / "releases.json"
        value = json.loads(path.read_text(encoding="utf-8"))
        value["releases"][0]["content"] = value["releases"][1]["content"]
        path.write_text(json.dumps(value), encoding="utf-8")
        with pytest.raises(ReleaseRequestError, match=f"{FIRST} has the same content as {SECOND}, which was withdrawn"):
            push_plan.select_release(home / "public", FIRST)

    def test_reads_pointer_files_of_one_moment(self, two_releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        original, calls = push_plan._contents, []

        def meanwhile(public: Path, names: list[str]) -> dict[str, bytes]:
            contents = original(public, names)
            calls.append(names)
            if len(calls) == 1:  # between the first look and the second
                (public / ledger.LATEST).write_text((public / ledger.LATEST).read_text(encoding="utf-8") + "\n", encoding="utf-8")
            return contents

        monkeypatch.setattr(push_plan, "_contents", meanwhile)
        plan = push_plan.select_release(home / "public", None)
        assert plan.pointer_files[ledger.LATEST] == (home / "public" / ledger.LATEST).read_bytes()


class TestPush:
    def test_copies_release_and_pointer_files(self, two_releases: Path, tmp_path: Path, target: Path) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        (home / "public" / "notes.txt").write_text("whatever lies there", encoding="utf-8")
        done = command("dir", "--home", home, "--to", target)
        assert (done.returncode, done.stderr) == (0, "")
        assert tree(target) == {
            path: content for path, content in tree(home / "public").items() if not path.startswith(f"releases/{FIRST}/")
        }
        assert served(target) == SECOND
        assert (target / ".latest").readlink() == Path(f"releases/{SECOND}/SHA256SUMS")  # what nginx follows
        assert {p.stat().st_mode & 0o777 for p in target.rglob("*") if p.is_file()} == {0o644}

    def test_imports_no_slow_libraries(self, two_releases: Path, target: Path) -> None:
        code, imported, _ = imported_by("push", "dir", "--home", two_releases, "--to", target)
        assert code == 0
        assert imported & {*HEAVY, "boto3", "botocore", "urllib3", "starlette"} == set()

    def test_never_moves_pointer_back(self, two_releases: Path, tmp_path: Path, target: Path) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        slow = push_plan.select_release(home / "public", None)
        assert slow.version == SECOND
        lifecycle.rollback(home / "public", home / "staging", FIRST, "wrong", datetime(2026, 11, 20, tzinfo=UTC))
        assert command("dir", "--home", home, "--to", target).returncode == 0
        with pytest.raises(errors.PushError, match=rf"{FIRST} became current during the push; repeat the command to push it"):
            folder.push(slow, target, print)
        assert served(target) == FIRST

    def test_leaves_complete_target_alone(self, two_releases: Path, target: Path) -> None:
        push(two_releases, target)
        before = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
        done = command("dir", "--home", two_releases, "--to", target)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].endswith("nothing to do")
        assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == before

    def test_dry_run_writes_nothing(self, two_releases: Path, target: Path) -> None:
        done = command("dir", "--home", two_releases, "--to", target, "--dry-run")
        assert done.returncode == 0
        assert "would copy" in done.stdout
        assert "would write" in done.stdout
        assert not target.exists()

    def test_of_older_release_keeps_pointer(self, two_releases: Path, target: Path) -> None:
        push(two_releases, target)
        push(two_releases, target, FIRST)
        assert served(target) == SECOND
        assert checksums.faults(target / "releases" / FIRST) == []

    def test_rejects_damaged_release(self, two_releases: Path, tmp_path: Path, target: Path) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        damage(home / "public" / "releases" / SECOND / "csv" / "areas.csv")
        done = command("dir", "--home", home, "--to", target)
        assert done.returncode == 1
        assert "csv/areas.csv: does not match its checksum in SHA256SUMS" in done.stderr
        assert not target.exists()

    def test_rejects_file_that_changes(self, two_releases: Path, tmp_path: Path, target: Path) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        before = pushed_before(home, target)
        plan = push_plan.select_release(home / "public", None)
        damage(home / "public" / "releases" / SECOND / "csv" / "areas.csv")
        with pytest.raises(PushError, match="changed during the push"):
            folder.push(plan, target, print)
        assert {path: content for path, content in tree(target).items() if not path.startswith(folder.WORK)} == before

    def test_replaces_damaged_copy(self, two_releases: Path, target: Path) -> None:
        push(two_releases, target)
        damage(target / "releases" / SECOND / "csv" / "areas.csv")
        push(two_releases, target)
        assert served(target) == SECOND

    def test_does_not_overwrite_different_release(self, two_releases: Path, warehouse: Path, tmp_path: Path, target: Path) -> None:
        other = home_with_two_releases(tmp_path / "other", warehouse, warehouse, "https://elsewhere.example.org/")
        push(other, target, FIRST)
        with pytest.raises(PushError, match="a different release with the same version"):
            push(two_releases, target, FIRST)

    def test_rejects_concurrent_push(self, two_releases: Path, target: Path) -> None:
        with folder._locked_work_folder(target), pytest.raises(PushError, match="another push is running"):
            push(two_releases, target)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_rejects_withdrawn_release(self, two_releases: Path, tmp_path: Path, target: Path, version: str) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        withdraw(home, version)
        done = command("dir", "--home", home, "--to", target, "--version", version)
        assert done.returncode == 2
        assert f"{version} was withdrawn at 2026-11-20T00:00:00Z (personal data)" in done.stderr
        assert not target.exists()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--version", "2020.01.1"], "2020.01.1: no such release; the releases are 2026.11.1, 2026.11.2"),
            (["--to", "{public}"], "that the release comes from"),
            (["--to", "{public}/releases/copy"], "that the release comes from"),
            (["--to", "{file}"], "is not a folder"),
            (["--home", "{empty}"], "nothing has been published yet"),
        ],
    )
    def test_exits_with_2_for_wrong_command(
        self, two_releases: Path, tmp_path: Path, target: Path, arguments: list[str], words: str
    ) -> None:
        public = two_releases / "public"
        (tmp_path / "empty").mkdir()
        places = {"public": public, "file": two_releases / "home.json", "empty": tmp_path / "empty"}
        done = command("dir", "--home", two_releases, "--to", target, *(a.format(**places) for a in arguments))
        assert done.returncode == 2
        assert words in done.stderr
        assert not target.exists()

    def test_target_can_be_served(self, two_releases: Path, target: Path) -> None:
        push(two_releases, target)
        entry = ledger.current(target)
        assert entry is not None
        assert entry.version == SECOND

"""Rolling back, withdrawing, pinning and pruning releases. A command that is killed at any step leaves a whole release."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from release_sample import Home

import exports
from exports.model import checksums
from exports.model.errors import ReleaseError, ReleaseRequestError
from exports.release import feed as exports_feed
from exports.release import ledger, lifecycle, public_folder
from exports.release.entries import Entry, PackInfo

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMP = "2026-11-23T12:00:00Z"
ABOUT = PackInfo("demo", {"en": "Demo indicators"}, ["en"], "", {}, "urn:uuid:12345678-1234-5678-1234-567812345678")


class Killed(BaseException):
    """The process ends here. No code catches this, so that nothing is cleaned up."""


class Releases:
    """A workspace with tiny releases of a single file, which are quick to make and enough for lifecycle commands."""

    def __init__(self, root: Path, contents: str = "") -> None:
        self.home = Home(root)
        self.public, self.staging = self.home.public, self.home.staging
        for content in contents:
            self.publish(content)

    def publish(self, content: str) -> str:
        """Publish a release as a build does. `content` stands for its tables."""
        work = self.staging / public_folder.WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        self.public.mkdir(exist_ok=True)
        before_publication, _ = public_folder.recover(self.public, work)
        version = before_publication.next_version("2026.11")
        folder = work / "release"
        folder.mkdir()
        (folder / "README.md").write_text(content * 100, encoding="utf-8")
        checksums.write(folder, {})
        entry = Entry(version, f"2026-11-{version[8:]:0>2}T00:00:00Z", "", content, {})
        public_folder.publish(folder, entry, before_publication, self.public, work, ABOUT)
        shutil.rmtree(work)
        return version

    def served(self) -> str:
        """Return the version that a reader gets, after checking every byte of it."""
        latest = json.loads((self.public / "latest.json").read_bytes())
        assert checksums.faults(self.public / latest["path"]) == []
        assert latest["path"] == f"releases/{latest['version']}/"
        return str(latest["version"])

    def rollback(self, number: int, reason: str = "wrong") -> lifecycle.LatestResult:
        return lifecycle.rollback(self.public, self.staging, v(number), reason, NOON)

    def withdraw(self, number: int, reason: str = "wrong") -> lifecycle.LatestResult:
        return lifecycle.withdraw(self.public, self.staging, v(number), reason, NOON)

    def pin(self, number: int) -> lifecycle.PinResult:
        return lifecycle.pin(self.public, self.staging, v(number), NOON)

    def prune(self, keep: int) -> lifecycle.PruneResult:
        return lifecycle.prune(self.public, self.staging, keep, NOON)

    def ledger(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.public / "releases.json").read_bytes())
        return value

    def note(self, number: int, name: str) -> Any:
        return next(e for e in self.ledger()["releases"] if e["version"] == v(number)).get(name)

    def folders(self) -> list[str]:
        return sorted((p.name for p in (self.public / "releases").iterdir()), key=lambda name: int(name[8:]))

    def damage(self, number: int) -> None:
        (self.public / "releases" / v(number) / "README.md").write_text("eaten", encoding="utf-8")

    def state(self) -> dict[str, Any]:
        feed, link = (self.public / "feed.atom").read_text(), (self.public / ".latest").resolve().parent.name
        assert feed.encode() == exports_feed.render(ledger.read_ledger(self.public)), "the feed says what the ledger says"
        assert link == self.served()
        return {"ledger": self.ledger(), "served": self.served(), "folders": self.folders(), "feed": feed}


def v(number: int) -> str:
    return f"2026.11.{number}"


class TestPrune:
    def test_keeps_newest_current_and_pinned(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABCDEFG")
        assert releases.pin(2) == lifecycle.PinResult(v(2), True)
        assert releases.pin(2) == lifecycle.PinResult(v(2), False)
        releases.rollback(3)
        pruned = releases.prune(2)
        assert pruned == lifecycle.PruneResult((v(1), v(4), v(5)), (v(2), v(3), v(6), v(7)), pruned.bytes)
        assert pruned.bytes > 300
        assert releases.folders() == [v(2), v(3), v(6), v(7)]
        assert releases.note(1, "pruned") == {"at": STAMP}
        assert releases.served() == v(3)
        assert releases.prune(2).removed == ()
        assert list(releases.staging.iterdir()) == []

    def test_does_not_count_withdrawn_releases(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABCDE")
        releases.withdraw(5)
        releases.withdraw(4)
        releases.withdraw(1)
        assert releases.prune(2).removed == (v(1),)
        assert releases.folders() == [v(2), v(3), v(4), v(5)]
        assert releases.prune(5).removed == (), "fewer than that are left"

    def test_never_frees_a_version(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        releases.prune(1)
        assert releases.publish("D") == v(4)
        assert [e.version for e in exports.history(releases.public)] == [v(1), v(2), v(3), v(4)]

    @pytest.mark.parametrize("keep", [0, -1])
    def test_rejects_keeping_nothing(self, tmp_path: Path, keep: int) -> None:
        with pytest.raises(ReleaseRequestError, match="at least one"):
            Releases(tmp_path, "AB").prune(keep)


class TestLifecycle:
    def test_fails_without_releases(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path)
        for action in (lambda: releases.rollback(1), lambda: releases.withdraw(1), lambda: releases.pin(1), lambda: releases.prune(1)):
            with pytest.raises(ReleaseRequestError, match="nothing has been published yet"):
                action()
        assert list(tmp_path.iterdir()) == []


class TestWithdraw:
    def test_replaces_current_release(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        assert releases.withdraw(3, "personal data") == lifecycle.LatestResult(v(2), v(3))
        assert releases.served() == v(2)
        assert releases.note(3, "withdrawn") == {"at": STAMP, "reason": "personal data"}
        assert releases.ledger()["moves"][-1]["kind"] == "withdrawal"
        assert releases.folders() == [v(1), v(2), v(3)], "its files stay"

    def test_skips_unsuitable_releases(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABCDE" + "E")
        releases.withdraw(4)
        releases.damage(3)
        assert releases.withdraw(6) == lifecycle.LatestResult(v(2), v(6), (v(3),))
        assert releases.served() == v(2)

    def test_returns_to_what_was_rolled_back_to(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABCD")
        releases.rollback(2)
        releases.publish("E")
        assert releases.withdraw(5) == lifecycle.LatestResult(v(2), v(5)), "not to 4, which the rollback took back"

    def test_after_a_rollback_never_returns_to_what_it_left(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        releases.rollback(2)
        assert releases.withdraw(3) == lifecycle.LatestResult(v(2), v(2))
        assert releases.withdraw(2) == lifecycle.LatestResult(v(1), v(2))

    def test_may_return_to_what_a_rollback_went_forward_to(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABCD")
        releases.rollback(1)
        releases.rollback(3)
        releases.publish("E")
        assert releases.withdraw(5) == lifecycle.LatestResult(v(3), v(5))

    def test_of_earlier_release_keeps_current_one(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        moved = releases.withdraw(1, "personal data")
        assert (moved.current, moved.changed) == (v(3), False)
        assert releases.note(1, "withdrawn") == {"at": STAMP, "reason": "personal data"}
        assert "moves" not in releases.ledger()

    def test_keeps_first_reason(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.withdraw(2, "personal data")
        before = releases.state()
        assert releases.withdraw(2, "another").current == v(1)
        assert releases.state() == before

    @pytest.mark.parametrize(("contents", "withdrawn", "damaged"), [("A", [], []), ("AB", [1], []), ("AA", [], []), ("AB", [], [1])])
    def test_rejects_only_release(self, tmp_path: Path, contents: str, withdrawn: list[int], damaged: list[int]) -> None:
        releases = Releases(tmp_path, contents)
        for number in withdrawn:
            releases.withdraw(number)
        for number in damaged:
            releases.damage(number)
        before = releases.state()
        with pytest.raises(ReleaseError, match=r"no other release can replace it.*nothing was changed"):
            releases.withdraw(len(contents))
        assert releases.state() == before

    def test_can_replace_damaged_release_by_its_copy(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.damage(2)
        releases.publish("B")
        releases.withdraw(2, "its files are damaged")
        assert releases.served() == v(3)
        assert public_folder.recover(releases.public, releases.staging)[0].superseded("B", v(3)) is None


class TestBuild:
    def test_does_not_republish_withdrawn_content(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        from release_sample import later

        home.build(warehouse)
        second = home.build(changed_warehouse, later(1))
        lifecycle.withdraw(home.public, home.staging, second.version, "wrong areas", NOON)
        again = home.build(changed_warehouse, later(2))
        assert (again.version, again.changed) == ("2026.11.1", False)
        assert [e.version for e in exports.history(home.public)] == ["2026.11.1", "2026.11.2"]
        current = exports.current(home.public)
        assert current is not None
        assert current.version == "2026.11.1"


class TestRollback:
    def test_makes_earlier_release_current(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        moved = releases.rollback(1, "boundaries of  2019\nused")
        assert moved == lifecycle.LatestResult(v(1), v(3))
        assert moved.changed
        assert releases.served() == v(1)
        assert releases.ledger()["moves"] == [
            {"kind": "rollback", "left": v(3), "to": v(1), "at": STAMP, "reason": "boundaries of 2019 used"},
        ]
        assert "moving" not in releases.ledger()
        current = exports.current(releases.public)
        assert current is not None
        assert current.version == v(1)
        assert json.loads((releases.public / "latest.json").read_bytes())["released"] == "2026-11-01T00:00:00Z"
        assert releases.folders() == [v(1), v(2), v(3)]
        assert list(releases.staging.iterdir()) == []

    def test_can_go_forward_again(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.rollback(1)
        assert releases.rollback(2, "it was right").current == v(2)
        assert releases.served() == v(2)
        assert [m["to"] for m in releases.ledger()["moves"]] == [v(1), v(2)]

    def test_to_current_release_changes_nothing(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        before = releases.state()
        assert not releases.rollback(2).changed
        assert releases.state() == before

    @pytest.mark.parametrize("why", ["unknown", "withdrawn", "said the same and withdrawn", "pruned", "damaged", "no reason"])
    def test_rejects_unsuitable_release(self, tmp_path: Path, why: str) -> None:
        releases = Releases(tmp_path, "ABAC" if why == "said the same and withdrawn" else "ABC")
        number, text, reason = 1, why, "wrong"
        if why == "unknown":
            number, text = 9, r"2026\.11\.9: no such release; the releases are 2026\.11\.1, 2026\.11\.2, 2026\.11\.3"
        elif why == "withdrawn":
            releases.withdraw(1, "personal data")
            text = r"withdrawn at 2026-11-23T12:00:00Z \(personal data\)"
        elif why == "said the same and withdrawn":
            releases.withdraw(3)
            text = "the same content as a later release that was withdrawn"
        elif why == "pruned":
            releases.prune(1)
            text = "files were removed at"
        elif why == "damaged":
            releases.damage(1)
            text = r"damaged \(README\.md: does not match its checksum"
        else:
            reason, text = " \n", "expected a reason"
        before = releases.state()
        with pytest.raises(ReleaseRequestError, match=text):
            releases.rollback(number, reason)
        assert releases.state() == before

    def test_accepts_annotation_written_by_hand(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        value = releases.ledger()
        value["releases"][0]["withdrawn"] = "by hand"
        (releases.public / "releases.json").write_text(json.dumps(value))
        with pytest.raises(ReleaseRequestError, match=r"2026\.11\.1 was withdrawn; "):
            releases.rollback(1)


ACTIONS: dict[str, Callable[[Releases], object]] = {
    "rollback": lambda releases: releases.rollback(2),
    "withdraw the current": lambda releases: releases.withdraw(4),
    "withdraw another": lambda releases: releases.withdraw(2),
    "pin": lambda releases: releases.pin(1),
    "prune": lambda releases: releases.prune(2),
}


class Stop:
    """Makes the n-th call that changes the file system fail, before or after it happens. A reader checks the state after each call."""

    def __init__(self, patch: pytest.MonkeyPatch, releases: Releases, error: BaseException, number: int, after: bool) -> None:
        self.calls, self.seen = 0, set[str]()
        for module, name in ((os, "replace"), (os, "rename"), (os, "fsync"), (os, "unlink"), (os, "rmdir"), (os, "mkdir")):
            patch.setattr(module, name, self._wrapped(getattr(module, name), releases, error, number, after))

    def _wrapped(
        self, original: Callable[..., Any], releases: Releases, error: BaseException, number: int, after: bool
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls >= number and not after:  # the dead do nothing more, not even tidy up
                raise error
            result = original(*args, **kwargs)
            self.seen.add(releases.served())
            if self.calls >= number:
                raise error
            return result

        return call


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four releases, to be copied."""
    return Releases(tmp_path_factory.mktemp("four"), "ABCD").home.root


def copy_of(four: Path, root: Path) -> Releases:
    return Releases(shutil.copytree(four, root, symlinks=True))


class TestInterruptedCommand:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("action", ACTIONS)
    def test_recovers_after_kill(self, four: Path, tmp_path: Path, action: str, after: bool) -> None:
        undisturbed = copy_of(four, tmp_path / "undisturbed")
        before = undisturbed.state()
        ACTIONS[action](undisturbed)
        done = undisturbed.state()
        allowed = {before["served"], done["served"]}
        number, ended = 0, False
        while not ended:
            number += 1
            releases = copy_of(four, tmp_path / str(number))
            with pytest.MonkeyPatch.context() as patch:
                stop = Stop(patch, releases, Killed(), number, after)
                try:
                    ACTIONS[action](releases)
                    ended = True
                except Killed:
                    pass
            assert stop.seen <= allowed, "a reader sees the release of before or that of after"
            assert releases.served() in allowed
            assert (releases.public / "feed.atom").read_text() in (before["feed"], done["feed"])
            # the next to come may be the same command, or a build that finds nothing new
            if number % 2:
                (releases.staging / "work").mkdir(parents=True)
                public_folder.recover(releases.public, releases.staging / "work")
                state = releases.state()
                assert state in (before, done), "begun and forgotten, or done"
            ACTIONS[action](releases)
            assert releases.state() == done
            assert not (releases.staging / public_folder.WORK).exists()
        assert number > 5, "the steps were met"

    @pytest.mark.parametrize("action", ACTIONS)
    def test_reports_full_disk(self, four: Path, tmp_path: Path, action: str) -> None:
        number, ended = 0, False
        while not ended:
            number += 1
            releases = copy_of(four, tmp_path / str(number))
            with pytest.MonkeyPatch.context() as patch:
                stop = Stop(patch, releases, OSError(28, "No space left on device"), number, False)
                message = ""
                try:
                    ACTIONS[action](releases)
                    ended = stop.calls < number
                except ReleaseError as error:
                    message = str(error)
            assert ended or not message or "No space left on device" in message
            assert releases.served() in (v(2), v(3), v(4))
            ACTIONS[action](releases)
        assert number > 4


class TestPublish:
    def test_rejects_content_that_was_rolled_back(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "ABC")
        releases.rollback(1, "boundaries")
        for content, version in (("B", 2), ("C", 3)):
            with pytest.raises(
                ReleaseError, match=rf"the same as in 2026\.11\.{version}, which was rolled back to 2026\.11\.1 at .*boundaries"
            ):
                releases.publish(content)
            assert releases.served() == v(1)
        assert str(ledger.superseded(releases.public, v(3))).startswith("the tables are the same as in 2026.11.3, which was rolled back")
        assert ledger.superseded(releases.public, v(1)) is None
        assert releases.publish("D") == v(4)
        assert ledger.superseded(releases.public, v(3)) is None
        assert releases.publish("C") == v(5), "the rollback is over"

    def test_rejects_withdrawn_content(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.withdraw(2, "personal data")
        assert str(ledger.superseded(releases.public, v(2))).endswith("withdrawn at 2026-11-23T12:00:00Z (personal data)")
        for _ in range(2):
            with pytest.raises(ReleaseError, match=r"the same as in 2026\.11\.2, which was withdrawn at .*personal data"):
                releases.publish("B")
        assert releases.publish("C") == v(3)
        with pytest.raises(ReleaseError, match="withdrawn"):
            releases.publish("B")
        assert releases.publish("A") == v(4), "an earlier release may come back by itself"

    def test_keeps_earlier_changes_in_ledger(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.rollback(1)
        releases.pin(1)
        releases.publish("C")
        assert [m["kind"] for m in releases.ledger()["moves"]] == ["rollback"]
        assert releases.note(1, "pinned") == {"at": STAMP}


class TestPin:
    def test_rejects_pruned_release(self, tmp_path: Path) -> None:
        releases = Releases(tmp_path, "AB")
        releases.prune(1)
        with pytest.raises(ReleaseRequestError, match="files were removed"):
            releases.pin(1)

    def test_writes_time_in_utc(self, tmp_path: Path) -> None:
        from datetime import timezone

        releases = Releases(tmp_path, "AB")
        lifecycle.pin(releases.public, releases.staging, v(1), NOON.astimezone(timezone(timedelta(hours=2))))
        assert releases.note(1, "pinned") == {"at": STAMP}

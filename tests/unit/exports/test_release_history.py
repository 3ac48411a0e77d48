"""A release may be taken back, withdrawn, pinned and pruned; killed at any step, readers always find one that is whole."""

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

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMP = "2026-11-23T12:00:00Z"
ABOUT = PackInfo("demo", {"en": "Demo indicators"}, ["en"], "", {}, "urn:uuid:12345678-1234-5678-1234-567812345678")


class Killed(BaseException):
    """The process ends here: nobody catches it, and what it would have tidied up is left as it was."""


class Public:
    """A home with releases whose only file says what they contain: enough for whoever moves them, and made in no time."""

    def __init__(self, root: Path, contents: str = "") -> None:
        self.home = Home(root)
        self.public, self.staging = self.home.public, self.home.staging
        for content in contents:
            self.publish(content)

    def publish(self, content: str) -> str:
        """Publish a release as a build does; `content` stands for its tables."""
        work = self.staging / public_folder.WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        self.public.mkdir(exist_ok=True)
        known, _ = public_folder.recover(self.public, work)
        version = known.next_version("2026.11")
        folder = work / "release"
        folder.mkdir()
        (folder / "README.md").write_text(content * 100, encoding="utf-8")
        checksums.write(folder, {})
        entry = Entry(version, f"2026-11-{version[8:]:0>2}T00:00:00Z", "", content, {})
        public_folder.publish(folder, entry, known, self.public, work, ABOUT)
        shutil.rmtree(work)
        return version

    def served(self) -> str:
        """Return the version a reader gets, having looked at every byte of it."""
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


def test_a_rollback_makes_an_earlier_release_current_and_the_ledger_says_why(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABC")
    moved = there.rollback(1, "boundaries of  2019\nused")
    assert moved == lifecycle.LatestResult(v(1), v(3))
    assert moved.changed
    assert there.served() == v(1)
    assert there.ledger()["moves"] == [
        {"kind": "rollback", "left": v(3), "to": v(1), "at": STAMP, "reason": "boundaries of 2019 used"},
    ]
    assert "moving" not in there.ledger()
    current = exports.current(there.public)
    assert current is not None
    assert current.version == v(1)
    assert json.loads((there.public / "latest.json").read_bytes())["released"] == "2026-11-01T00:00:00Z"
    assert there.folders() == [v(1), v(2), v(3)]
    assert list(there.staging.iterdir()) == []


def test_a_rollback_leads_forward_again(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.rollback(1)
    assert there.rollback(2, "it was right").current == v(2)
    assert there.served() == v(2)
    assert [m["to"] for m in there.ledger()["moves"]] == [v(1), v(2)]


def test_a_rollback_to_the_current_release_changes_nothing(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    before = there.state()
    assert not there.rollback(2).changed
    assert there.state() == before


@pytest.mark.parametrize("why", ["unknown", "withdrawn", "said the same and withdrawn", "pruned", "damaged", "no reason"])
def test_a_rollback_that_cannot_be_is_refused_and_changes_nothing(tmp_path: Path, why: str) -> None:
    there = Public(tmp_path, "ABAC" if why == "said the same and withdrawn" else "ABC")
    number, text, reason = 1, why, "wrong"
    if why == "unknown":
        number, text = 9, r"2026\.11\.9: no such release; the releases are 2026\.11\.1, 2026\.11\.2, 2026\.11\.3"
    elif why == "withdrawn":
        there.withdraw(1, "personal data")
        text = r"withdrawn at 2026-11-23T12:00:00Z \(personal data\)"
    elif why == "said the same and withdrawn":
        there.withdraw(3)
        text = "the same content as a later release that was withdrawn"
    elif why == "pruned":
        there.prune(1)
        text = "files were removed at"
    elif why == "damaged":
        there.damage(1)
        text = r"damaged \(README\.md: does not match its checksum"
    else:
        reason, text = " \n", "expected a reason"
    before = there.state()
    with pytest.raises(ReleaseRequestError, match=text):
        there.rollback(number, reason)
    assert there.state() == before


def test_the_current_release_is_withdrawn_and_replaced_in_one_step(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABC")
    assert there.withdraw(3, "personal data") == lifecycle.LatestResult(v(2), v(3))
    assert there.served() == v(2)
    assert there.note(3, "withdrawn") == {"at": STAMP, "reason": "personal data"}
    assert there.ledger()["moves"][-1]["kind"] == "withdrawal"
    assert there.folders() == [v(1), v(2), v(3)], "its files stay"


def test_a_withdrawal_passes_over_what_is_withdrawn_damaged_pruned_or_says_the_same(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABCDE" + "E")
    there.withdraw(4)
    there.damage(3)
    assert there.withdraw(6) == lifecycle.LatestResult(v(2), v(6), (v(3),))
    assert there.served() == v(2)


def test_an_earlier_release_is_withdrawn_and_the_current_one_stays(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABC")
    moved = there.withdraw(1, "personal data")
    assert (moved.current, moved.changed) == (v(3), False)
    assert there.note(1, "withdrawn") == {"at": STAMP, "reason": "personal data"}
    assert "moves" not in there.ledger()


def test_a_withdrawal_is_made_once_and_keeps_its_first_reason(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.withdraw(2, "personal data")
    before = there.state()
    assert there.withdraw(2, "another").current == v(1)
    assert there.state() == before


@pytest.mark.parametrize(("contents", "withdrawn", "damaged"), [("A", [], []), ("AB", [1], []), ("AA", [], []), ("AB", [], [1])])
def test_the_only_release_is_not_withdrawn(tmp_path: Path, contents: str, withdrawn: list[int], damaged: list[int]) -> None:
    there = Public(tmp_path, contents)
    for number in withdrawn:
        there.withdraw(number)
    for number in damaged:
        there.damage(number)
    before = there.state()
    with pytest.raises(ReleaseError, match=r"no other release can replace it.*nothing was changed"):
        there.withdraw(len(contents))
    assert there.state() == before


def test_pruning_keeps_the_newest_the_current_and_the_pinned(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABCDEFG")
    assert there.pin(2) == lifecycle.PinResult(v(2), True)
    assert there.pin(2) == lifecycle.PinResult(v(2), False)
    there.rollback(3)
    pruned = there.prune(2)
    assert pruned == lifecycle.PruneResult((v(1), v(4), v(5)), (v(2), v(3), v(6), v(7)), pruned.bytes)
    assert pruned.bytes > 300
    assert there.folders() == [v(2), v(3), v(6), v(7)]
    assert there.note(1, "pruned") == {"at": STAMP}
    assert there.served() == v(3)
    assert there.prune(2).removed == ()
    assert list(there.staging.iterdir()) == []


def test_withdrawn_releases_do_not_count_as_kept_and_go_when_they_are_old(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABCDE")
    there.withdraw(5)
    there.withdraw(4)
    there.withdraw(1)
    assert there.prune(2).removed == (v(1),)
    assert there.folders() == [v(2), v(3), v(4), v(5)]
    assert there.prune(5).removed == (), "fewer than that are left"


def test_a_version_whose_files_were_pruned_is_never_given_again(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABC")
    there.prune(1)
    assert there.publish("D") == v(4)
    assert [e.version for e in exports.history(there.public)] == [v(1), v(2), v(3), v(4)]


@pytest.mark.parametrize("keep", [0, -1])
def test_at_least_one_release_is_kept(tmp_path: Path, keep: int) -> None:
    with pytest.raises(ReleaseRequestError, match="at least one"):
        Public(tmp_path, "AB").prune(keep)


def test_a_pruned_release_is_not_pinned(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.prune(1)
    with pytest.raises(ReleaseRequestError, match="files were removed"):
        there.pin(1)


def test_nothing_can_be_done_where_nothing_was_published(tmp_path: Path) -> None:
    there = Public(tmp_path)
    for action in (lambda: there.rollback(1), lambda: there.withdraw(1), lambda: there.pin(1), lambda: there.prune(1)):
        with pytest.raises(ReleaseRequestError, match="nothing has been published yet"):
            action()
    assert list(tmp_path.iterdir()) == []


def test_what_a_rollback_left_is_not_published_again_but_anything_else_is(tmp_path: Path) -> None:
    there = Public(tmp_path, "ABC")
    there.rollback(1, "boundaries")
    for content, version in (("B", 2), ("C", 3)):
        with pytest.raises(ReleaseError, match=rf"the same as in 2026\.11\.{version}, which was rolled back to 2026\.11\.1 at .*boundaries"):
            there.publish(content)
        assert there.served() == v(1)
    assert str(ledger.superseded(there.public, v(3))).startswith("the tables are the same as in 2026.11.3, which was rolled back to 2026.11.1 at")
    assert ledger.superseded(there.public, v(1)) is None
    assert there.publish("D") == v(4)
    assert ledger.superseded(there.public, v(3)) is None
    assert there.publish("C") == v(5), "the rollback is over"


def test_what_was_withdrawn_is_never_published_again(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.withdraw(2, "personal data")
    assert str(ledger.superseded(there.public, v(2))).endswith("withdrawn at 2026-11-23T12:00:00Z (personal data)")
    for _ in range(2):
        with pytest.raises(ReleaseError, match=r"the same as in 2026\.11\.2, which was withdrawn at .*personal data"):
            there.publish("B")
    assert there.publish("C") == v(3)
    with pytest.raises(ReleaseError, match="withdrawn"):
        there.publish("B")
    assert there.publish("A") == v(4), "an earlier release may come back by itself"


def test_a_copy_of_a_damaged_release_may_stand_when_that_is_withdrawn(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.damage(2)
    there.publish("B")
    there.withdraw(2, "its files are damaged")
    assert there.served() == v(3)
    assert public_folder.recover(there.public, there.staging)[0].superseded("B", v(3)) is None


def test_a_build_sees_the_content_that_was_taken_back(home: Home, warehouse: Path, changed_warehouse: Path) -> None:
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


def test_a_note_by_hand_is_no_stumbling_block(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    value = there.ledger()
    value["releases"][0]["withdrawn"] = "by hand"
    (there.public / "releases.json").write_text(json.dumps(value))
    with pytest.raises(ReleaseRequestError, match=r"2026\.11\.1 was withdrawn; "):
        there.rollback(1)


ACTIONS: dict[str, Callable[[Public], object]] = {
    "rollback": lambda there: there.rollback(2),
    "withdraw the current": lambda there: there.withdraw(4),
    "withdraw another": lambda there: there.withdraw(2),
    "pin": lambda there: there.pin(1),
    "prune": lambda there: there.prune(2),
}


class Stop:
    """Lets the n-th call that changes the file system fail, before or after it is made; every call is seen by a reader."""

    def __init__(self, patch: pytest.MonkeyPatch, there: Public, error: BaseException, number: int, after: bool) -> None:
        self.calls, self.seen = 0, set()
        for module, name in ((os, "replace"), (os, "rename"), (os, "fsync"), (os, "unlink"), (os, "rmdir"), (os, "mkdir")):
            patch.setattr(module, name, self._wrapped(getattr(module, name), there, error, number, after))

    def _wrapped(self, original: Callable[..., Any], there: Public, error: BaseException, number: int, after: bool) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls >= number and not after:  # the dead do nothing more, not even tidy up
                raise error
            result = original(*args, **kwargs)
            self.seen.add(there.served())
            if self.calls >= number:
                raise error
            return result

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_command_killed_at_any_step_leaves_a_whole_release_and_the_next_one_ends_it(tmp_path: Path, action: str, after: bool) -> None:
    undisturbed = Public(tmp_path / "undisturbed", "ABCD")
    before = undisturbed.state()
    ACTIONS[action](undisturbed)
    done = undisturbed.state()
    allowed = {before["served"], done["served"]}
    number, ended = 0, False
    while not ended:
        number += 1
        there = Public(tmp_path / str(number), "ABCD")
        with pytest.MonkeyPatch.context() as patch:
            stop = Stop(patch, there, Killed(), number, after)
            try:
                ACTIONS[action](there)
                ended = True
            except Killed:
                pass
        assert stop.seen <= allowed, "a reader sees the release of before or that of after"
        assert there.served() in allowed
        assert (there.public / "feed.atom").read_text() in (before["feed"], done["feed"])
        # the next to come may be the same command, or a build that finds nothing new
        if number % 2:
            (there.staging / "work").mkdir(parents=True)
            public_folder.recover(there.public, there.staging / "work")
            found = there.state()
            assert found in (before, done), "begun and forgotten, or done"
        ACTIONS[action](there)
        assert there.state() == done
        assert not (there.staging / public_folder.WORK).exists()
    assert number > 5, "the steps were met"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_full_disk_at_any_step_is_told_and_leaves_a_whole_release(tmp_path: Path, action: str) -> None:
    number, ended = 0, False
    while not ended:
        number += 1
        there = Public(tmp_path / str(number), "ABCD")
        with pytest.MonkeyPatch.context() as patch:
            stop = Stop(patch, there, OSError(28, "No space left on device"), number, False)
            told = ""
            try:
                ACTIONS[action](there)
                ended = stop.calls < number
            except ReleaseError as error:
                told = str(error)
        assert ended or not told or "No space left on device" in told
        assert there.served() in (v(2), v(3), v(4))
        ACTIONS[action](there)
    assert number > 4


def test_a_ledger_of_moves_survives_the_next_publication(tmp_path: Path) -> None:
    there = Public(tmp_path, "AB")
    there.rollback(1)
    there.pin(1)
    there.publish("C")
    assert [m["kind"] for m in there.ledger()["moves"]] == ["rollback"]
    assert there.note(1, "pinned") == {"at": STAMP}


def test_a_clock_in_another_zone_is_written_in_utc(tmp_path: Path) -> None:
    from datetime import timezone

    there = Public(tmp_path, "AB")
    lifecycle.pin(there.public, there.staging, v(1), NOON.astimezone(timezone(timedelta(hours=2))))
    assert there.note(1, "pinned") == {"at": STAMP}

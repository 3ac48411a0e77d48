"""The commands for published releases: rollback, withdraw, pin, prune. `exports.release.lifecycle` does the work.

With --home given they work even with a broken pack: a fault in a declaration must not keep anybody from taking a release back.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import HomeOption, PackOption, published_workspace
from pipelines.core.workspace import WorkspaceFolder

Version = Annotated[str, typer.Argument(help="Version of the release.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; becomes part of the public ledger releases.json.")]
EXAMPLE = "zpo2 {} 2026.11.1 --pack packs/demo"
_log = logging.getLogger("zpo2.releases")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog=f"Example: {EXAMPLE.format('rollback')} --reason 'wrong boundaries'")(rollback)
    app.command(epilog=f"Example: {EXAMPLE.format('withdraw')} --reason 'personal data'")(withdraw)
    app.command(epilog=f"Example: {EXAMPLE.format('pin')}")(pin)
    app.command(epilog="Example: zpo2 prune --pack packs/demo --keep 10")(prune)


def rollback(version: Version, reason: Reason, pack: PackOption = None, home: HomeOption = None) -> None:
    """Make an earlier release current again.

    The same inputs do not publish the abandoned release again.
    """
    with _locked(pack, home) as workspace:
        from exports.release import lifecycle

        moved = lifecycle.rollback(workspace.public, workspace.staging, version, reason, workspace.settings.now())
        if not moved.changed:
            print(f"{version} is the current release already")
            return
        _log.warning("rolled back", extra={"left": moved.left, "current": moved.current, "reason": reason})
        print(
            f"{moved.current} is the current release; {moved.left} stays where it is, and its tables are not published again by themselves"
        )


def withdraw(version: Version, reason: Reason, pack: PackOption = None, home: HomeOption = None) -> None:
    """Withdraw a release for good.

    If it is the current release, the newest other release takes its place.
    """
    with _locked(pack, home) as workspace:
        from exports.release import lifecycle

        moved = lifecycle.withdraw(workspace.public, workspace.staging, version, reason, workspace.settings.now())
        _log.warning("withdrawn", extra={"version": version, "current": moved.current, "reason": reason})
        for skipped in moved.skipped:
            print(f"{skipped} is damaged and was passed over", file=sys.stderr)
        print(f"{version} is withdrawn; {moved.current} is the current release" + (" now" if moved.changed else ""))


def pin(version: Version, pack: PackOption = None, home: HomeOption = None) -> None:
    """Keep a release for good: `zpo2 prune` never removes it."""
    with _locked(pack, home) as workspace:
        from exports.release import lifecycle

        pinned = lifecycle.pin(workspace.public, workspace.staging, version, workspace.settings.now())
        _log.info("pinned", extra={"version": version})
        print(f"{version} is kept for ever" + ("" if pinned.changed else ", as it was before"))


def prune(
    keep: Annotated[int, typer.Option("--keep", help="How many of the newest releases stay, withdrawn ones not counted.")] = 10,
    events: Annotated[
        int | None,
        typer.Option(
            "--events", min=1, metavar="DAYS", help="Also remove the data of pushed events received more than DAYS days ago from events.db."
        ),
    ] = None,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Remove the files of old releases.

    The current release and pinned releases stay. `--events` removes only data that the archive has; replays of these events are still
    recognised.
    """
    with _locked(pack, home) as workspace:
        from exports.release import lifecycle

        if events is not None and workspace.queue.is_file():
            print(
                f"the data of {_forget_events(workspace, events)} pushed events removed from {workspace.queue.name}; the archive has them"
            )
        pruned = lifecycle.prune(workspace.public, workspace.staging, keep, workspace.settings.now())
        _log.info("pruned", extra={"removed": pruned.removed, "kept": pruned.kept, "bytes": pruned.bytes})
        for version in pruned.removed:
            print(f"{version} removed")
        print(f"{len(pruned.removed)} releases removed, {pruned.bytes} bytes freed; {len(pruned.kept)} kept: {', '.join(pruned.kept)}")


def _forget_events(workspace: WorkspaceFolder, days: int) -> int:
    from pipelines.extract.cloudevents.queue import Queue
    from pipelines.extract.cloudevents.segments import forget_archived

    now = workspace.settings.now()
    with Queue(workspace.queue) as queue:
        count = forget_archived(workspace, queue, now - timedelta(days=min(days, now.toordinal() - 1)))
    _log.info("the data of old events were removed", extra={"events": count, "days": days})
    return count


@contextmanager
def _locked(pack: Path | None, home: Path | None) -> Iterator[WorkspaceFolder]:
    """Hold the workspace while a command changes its releases. Raises PackError, WorkspaceError, WorkspaceBusy, ReleaseError."""
    from pipelines.core import logs
    from pipelines.notify import announcements

    workspace = published_workspace(pack, home)
    with workspace.lock(on_wait=lambda text: print(text, file=sys.stderr), holder=f"zpo2 {' '.join(sys.argv[1:2])}".strip()):
        logs.open_log(workspace)
        announcements.prepare(workspace)
        yield workspace
        announcements.deliver(workspace)

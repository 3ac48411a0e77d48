"""A release as it would have been at an earlier time: the snapshots known then, today's declarations and code. Never touches what is published."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.core.errors import UsageError
from pipelines.extract.source_state import SourceState, SourceStates, parts_of
from pipelines.packs.workspace import Workspace


class VintageError(UsageError):
    """The time or the folder cannot be used."""


def moment(text: str) -> str:
    """Return the UTC stamp of an ISO 8601 date or time. A date is its last second; a time without a zone is UTC."""
    try:
        if len(text.strip()) == len("2024-05-01"):
            return datetime.strptime(text.strip(), "%Y-%m-%d").strftime("%Y-%m-%dT23:59:59Z")
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise VintageError(f"--vintage {text}: expected a date or time, such as 2024-05-01 or 2024-05-01T12:00:00Z") from None
    return timestamp(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def check_folder(out: Path) -> None:
    """Raise VintageError unless `out` may be written: it must not exist, or be an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise VintageError(f"--out {out}: exists and is not an empty folder")


@contextmanager
def workspace_at(workspace: Workspace, time: str) -> Iterator[Workspace]:
    """Yield a temporary workspace that shares the archive and the lake of `workspace`, with the state of each source at `time`.

    A part of which nothing was known then has no snapshot.
    """
    with tempfile.TemporaryDirectory(dir=workspace.root, prefix=atomic.TEMPORARY + "vintage-") as folder:
        past = Workspace(Path(folder), workspace.settings, pack=workspace.pack)
        past.open()
        for shared, own in ((workspace.archive, past.archive), (workspace.lake, past.lake)):
            shared.mkdir(parents=True, exist_ok=True)
            own.symlink_to(shared, target_is_directory=True)
        if workspace.dbt.is_dir():  # the parsed project
            shutil.copytree(workspace.dbt, past.dbt)
        known, remembered = SourceStates(workspace.fetch_state), SourceStates(past.fetch_state)
        for source in workspace.pack.sources.values():
            for part in parts_of(workspace.pack, source, known):
                state = known.get(source.id, part.name)
                remembered.put(source.id, part.name, _as_of(state, time))
        remembered.save()
        yield past


def _as_of(state: SourceState, time: str) -> SourceState:
    """Return what was known at `time`; the content before the newest is what to fall back on where that cannot be read."""
    history = state.history or (
        [(state.changed_at, state.sha256)] if state.sha256 else []
    )  # workspaces of earlier versions have no history
    then = [entry for entry in history if entry[0] <= time]
    if not then:
        return SourceState()
    return SourceState(
        sha256=then[-1][1], good=then[-2][1] if len(then) > 1 else "", checked_at=then[-1][0], changed_at=then[-1][0], history=then,
        accepted=state.accepted,
    )  # fmt: skip


def publish(release: Path, out: Path) -> None:
    """Put a release into the folder `out`, all of it or nothing."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=atomic.TEMPORARY) as folder:
        shutil.copytree(release, Path(folder) / "release")
        for path in (Path(folder) / "release").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (Path(folder) / "release").chmod(0o755)
        if out.is_dir():
            out.rmdir()
        os.replace(Path(folder) / "release", out)

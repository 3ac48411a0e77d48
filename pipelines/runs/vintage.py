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
from pipelines.core.workspace import Home
from pipelines.extract.source_state import SourceState, States, parts_of
from pipelines.packs import Pack


class VintageError(Exception):
    """The time or the folder cannot be used."""


def moment(text: str) -> str:
    """Return the UTC stamp of an ISO 8601 date or time. A date is its last second; a time without a zone is UTC."""
    try:
        if len(text.strip()) == len("2024-05-01"):
            return datetime.strptime(text.strip(), "%Y-%m-%d").strftime("%Y-%m-%dT23:59:59Z")
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise VintageError(f"--vintage {text}: a date or a time is due, such as 2024-05-01 or 2024-05-01T12:00:00Z") from None
    return timestamp(found if found.tzinfo else found.replace(tzinfo=UTC))


def check_folder(out: Path) -> None:
    """Raise VintageError unless `out` may be written: it must not exist, or be an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise VintageError(f"--out {out}: is there already and not an empty folder")


@contextmanager
def home_at(home: Home, pack: Pack, time: str) -> Iterator[Home]:
    """Yield a passing home that shares the archive and the lake of `home`, and remembers of each source what was known at `time`.

    A part of which nothing was known then has no snapshot.
    """
    with tempfile.TemporaryDirectory(dir=home.root, prefix=atomic.TEMPORARY + "vintage-") as folder:
        past = Home(Path(folder))
        past.open(pack.id)
        for shared, own in ((home.archive, past.archive), (home.lake, past.lake)):
            shared.mkdir(parents=True, exist_ok=True)
            own.symlink_to(shared, target_is_directory=True)
        if home.dbt.is_dir():  # the parsed project
            shutil.copytree(home.dbt, past.dbt)
        known, remembered = States(home.fetch_state), States(past.fetch_state)
        for source in pack.sources.values():
            for part in parts_of(pack, source, known):
                state = known.get(source.id, part.name)
                remembered.put(source.id, part.name, _as_of(state, time))
        remembered.save()
        yield past


def _as_of(state: SourceState, time: str) -> SourceState:
    """Return what was known at `time`; the content before the newest is what to fall back on where that cannot be read."""
    history = state.history or ([[state.changed_at, state.sha256]] if state.sha256 else [])  # homes of earlier versions kept none
    then = [entry for entry in history if entry[0] <= time]
    if not then:
        return SourceState()
    return SourceState(
        sha256=then[-1][1], good=then[-2][1] if len(then) > 1 else "", checked_at=then[-1][0], changed_at=then[-1][0], history=then
    )


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

"""The commands about releases that are out: rollback, withdraw, pin, prune. Decides nothing; what they do is in `exports.release.lifecycle`.

They work with a pack that is broken as long as the home is given: a fault in a declaration must not keep anybody from taking a release back.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.core.yaml import PackError
from pipelines.runs.run import WRONG

Version = Annotated[str, typer.Argument(help="Version of the release.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; becomes part of the public ledger releases.json.")]
PackOption = Annotated[Path | None, typer.Option("--pack", help="Folder of the pack (ZPO2_PACK; default packs/demo).")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder a run writes to (ZPO2_HOME; default data/<pack id>).")]
EXAMPLE = "zpo2 {} 2026.11.1 --pack packs/demo"
_log = logging.getLogger("zpo2.releases")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog=f"Example: {EXAMPLE.format('rollback')} --reason 'wrong boundaries'")(rollback)
    app.command(epilog=f"Example: {EXAMPLE.format('withdraw')} --reason 'personal data'")(withdraw)
    app.command(epilog=f"Example: {EXAMPLE.format('pin')}")(pin)
    app.command(epilog="Example: zpo2 prune --pack packs/demo --keep 10")(prune)


def rollback(version: Version, reason: Reason, pack: PackOption = None, home: HomeOption = None) -> None:
    """Make a kept release the current one again; the same inputs do not publish again what was left."""
    with _held(pack, home) as (place, settings):
        from exports.release import lifecycle

        moved = lifecycle.rollback(place.public, place.staging, version, reason, settings.now())
        if not moved.changed:
            print(f"{version} is the current release already")
            return
        _log.warning("rolled back", extra={"left": moved.left, "current": moved.current, "reason": reason})
        print(
            f"{moved.current} is the current release; {moved.left} stays where it is, and its tables are not published again by themselves"
        )


def withdraw(version: Version, reason: Reason, pack: PackOption = None, home: HomeOption = None) -> None:
    """Mark a release as withdrawn, for ever; if it is the current one, the newest other one takes its place."""
    with _held(pack, home) as (place, settings):
        from exports.release import lifecycle

        moved = lifecycle.withdraw(place.public, place.staging, version, reason, settings.now())
        _log.warning("withdrawn", extra={"version": version, "current": moved.current, "reason": reason})
        for skipped in moved.skipped:
            print(f"{skipped} is damaged and was passed over", file=sys.stderr)
        print(f"{version} is withdrawn; {moved.current} is the current release" + (" now" if moved.changed else ""))


def pin(version: Version, pack: PackOption = None, home: HomeOption = None) -> None:
    """Keep a release for ever: `zpo2 prune` passes it over."""
    with _held(pack, home) as (place, settings):
        from exports.release import lifecycle

        pinned = lifecycle.pin(place.public, place.staging, version, settings.now())
        _log.info("pinned", extra={"version": version})
        print(f"{version} is kept for ever" + ("" if pinned.changed else ", as it was before"))


def prune(
    keep: Annotated[int, typer.Option("--keep", help="How many of the newest releases stay, withdrawn ones not counted.")] = 10,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Remove the files of old releases; never of the current one, nor of a pinned one."""
    with _held(pack, home) as (place, settings):
        from exports.release import lifecycle

        pruned = lifecycle.prune(place.public, place.staging, keep, settings.now())
        _log.info("pruned", extra={"removed": pruned.removed, "kept": pruned.kept, "bytes": pruned.bytes})
        for version in pruned.removed:
            print(f"{version} removed")
        print(f"{len(pruned.removed)} releases removed, {pruned.bytes} bytes freed; {len(pruned.kept)} kept: {', '.join(pruned.kept)}")


@contextmanager
def _held(pack: Path | None, home: Path | None) -> Iterator[tuple[Home, Settings]]:
    """Hold the home while a command works on its releases; what it refuses is a line and an exit code. Raises PackError, HomeError, Busy."""
    from exports import ReleaseError
    from pipelines.core import logs
    from pipelines.notify import announcements

    place, settings = placed(pack, home)
    with place.lock(waiting=lambda text: print(text, file=sys.stderr)):
        logs.open_log(place)
        try:
            announcements.prepare(place, settings)
            yield place, settings
            announcements.deliver(place, settings)
        except ReleaseError as error:
            raise SystemExit(_told(str(error), error.exit_code)) from None


def placed(pack: Path | None, home: Path | None) -> tuple[Home, Settings]:
    """Return the home that is meant, in which something was published. Raises PackError, HomeError, SystemExit."""
    settings = Settings()
    if home is not None:
        settings.home = home
    place = _place((pack or settings.pack).absolute(), settings)
    if not (place.root / "home.json").is_file():
        raise SystemExit(_told(f"{place.root}: nothing was published yet", WRONG))
    return place, settings


def _place(pack: Path, settings: Settings) -> Home:
    try:
        loaded = packs.load(pack)
    except PackError:
        if settings.home is None:
            raise
        return Home(settings.home.absolute())
    place = Home(settings.home_of(loaded.id))
    place.owned_by(loaded.id)
    return place


def _told(line: str, code: int) -> int:
    print(line, file=sys.stderr)
    return code

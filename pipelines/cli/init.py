"""The command that writes a starter pack: a small pack that runs at once, with comments that teach the format."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pipelines import bundled
from pipelines.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="Example: zpo2 init my-pack")(init)


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the new pack; must be new or empty.")]) -> None:
    """Write a small pack that runs at once. Change its files to your own."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder}: is not an empty folder; give a new one")
        written = _copy(bundled.STARTER_PACK, folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from None
    for name in written:
        print(folder / name)
    print(f"{len(written)} files written. Next: zpo2 check --pack {folder}, then zpo2 run --pack {folder}")


def _copy(source: Path, target: Path) -> list[Path]:
    """Copy the content of every file below `source`, but not its permissions: an installed package can be read-only."""
    names = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return names

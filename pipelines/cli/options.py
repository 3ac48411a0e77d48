"""What the commands share: options, the workspace that they name, and how lines from outside are printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from pipelines.core.errors import UsageError
from pipelines.core.printable import printable
from pipelines.core.settings import Settings
from pipelines.core.workspace import DESCRIPTION, WorkspaceFolder
from pipelines.core.yaml import PackError
from pipelines.packs.workspace import Workspace

__all__ = [
    "HOST",
    "PORT",
    "HomeOption",
    "HostOption",
    "JsonOption",
    "PackOption",
    "load_workspace",
    "printable",
    "published_workspace",
    "readable_workspace",
    "settings_of",
]

PackOption = Annotated[
    Path | None, typer.Option("--pack", help="Folder of the pack (ZPO2_PACK; default: packs/demo, else the built-in demo pack).")
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Workspace: the folder that runs write to (ZPO2_HOME; default: ./data/<pack id>).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
HOST, PORT = "127.0.0.1", 8000
"""Where `zpo2 serve` listens without options."""
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]


def settings_of(pack: Path | None, home: Path | None = None) -> Settings:
    """Return the settings of the environment, overridden by the options of a command. Raises UsageError."""
    try:
        settings = Settings()
    except ValidationError as error:
        [fault, *_] = error.errors()
        name = str(fault["loc"][0])
        variable = name if name.isupper() else f"ZPO2_{name.upper()}"
        raise UsageError(f"{variable} is {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}") from None
    if pack is not None:
        settings.pack = pack
    if home is not None:
        settings.home = home
    settings.pack = settings.pack.absolute()
    return settings


def load_workspace(pack: Path | None, home: Path | None) -> Workspace:
    """Return the workspace that the options name, which may not exist yet. Raises PackError, WorkspaceError."""
    return Workspace.load(settings_of(pack, home))


def published_workspace(pack: Path | None, home: Path | None) -> WorkspaceFolder:
    """Return a workspace in which something was published. Raises PackError, WorkspaceError, UsageError.

    With `home` given, a broken pack is no obstacle: a fault in a declaration must not keep anybody from taking a release back.
    """
    settings = settings_of(pack, home)
    workspace: WorkspaceFolder
    try:
        workspace = Workspace.load(settings)
    except PackError:
        if settings.home is None:
            raise
        workspace = WorkspaceFolder(settings.home.absolute(), settings)
    return _published(workspace)


def readable_workspace(pack: Path | None, home: Path | None) -> WorkspaceFolder:
    """Return a workspace in which something was published, for commands that only read it. Raises PackError, WorkspaceError, UsageError.

    If only `home` is given, the pack is not loaded: it takes longer than some of these commands.
    """
    if pack is not None or home is None:
        return published_workspace(pack, home)
    return _published(WorkspaceFolder(home.absolute(), settings_of(None, home)))


def _published(workspace: WorkspaceFolder) -> WorkspaceFolder:
    if not (workspace.root / DESCRIPTION).is_file():
        raise UsageError(f"{workspace.root}: nothing has been published yet")
    return workspace

"""The command by which an operator accepts new content of a source that a run refused for how it differs from what came before."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from pipelines.cli.options import HomeOption, PackOption, load_workspace, printable
from pipelines.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="Example: zpo2 accept areas --reason 'the register was cleaned up' --pack packs/demo")(accept)


def accept(
    source: Annotated[str, typer.Argument(help="Identifier of the source.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the content is right; becomes part of the release.")],
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Accept new content of a source that was refused.

    A run refuses content that lost many rows or a column, or of which too much is refused. The next run uses the accepted content.
    """
    from pipelines.core import logs
    from pipelines.extract.source_state import SourceStates

    workspace = load_workspace(pack, home)
    if source not in workspace.pack.sources:
        raise UsageError(f"{printable(source)}: no such source in {workspace.pack.id}")
    if not reason.strip():
        raise UsageError("--reason: expected a text")
    with workspace.lock(on_wait=lambda text: print(text, file=sys.stderr)):
        logs.open_log(workspace)
        states = SourceStates(workspace.fetch_state)
        reasons = {part: state.refusal for part, state in states.parts(source).items()}
        parts = states.accept(source, reason.strip(), workspace.settings.now())
        states.save()
    for part in parts:
        logging.getLogger("zpo2.accept").warning("content accepted", extra={"source": source, "part": part, "reason": reason.strip()})
        print(printable(f"{source} {part}".strip() + f": accepted, although {reasons[part] or 'it was refused'}"))
    print("The next run uses it." if parts else f"{source}: no refused content to accept")

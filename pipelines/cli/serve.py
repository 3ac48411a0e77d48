"""The commands that listen: serve, dev, serve-events."""

from __future__ import annotations

import sqlite3
from typing import Annotated

import typer

from pipelines.cli import interrupts
from pipelines.cli.options import HomeOption, HostOption, PackOption, load_workspace
from pipelines.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="Example: zpo2 serve --pack packs/demo --port 8000")(serve)
    app.command(epilog="Example: zpo2 dev --pack packs/demo --port 3000")(dev)
    app.command("serve-events", epilog="Example: zpo2 serve-events --pack packs/demo --port 3001")(serve_events)


def serve(
    pack: PackOption = None,
    home: HomeOption = None,
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the releases on this machine."""
    import exports

    interrupts.leave_to_the_command()
    workspace = load_workspace(pack, home)
    print(f"http://{host}:{port}/  (latest/ leads into the current release; Ctrl+C stops)", flush=True)
    exports.serve(workspace.public, host, port)


def dev(
    pack: PackOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address of the UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    events_port: Annotated[int, typer.Option(help="Port of the receiver of pushed events.")] = 3001,
) -> None:
    """Open Dagster's UI and daemon, and receive pushed events.

    Events are received where ZPO2_SECRET_EVENTS is set.
    """
    from pipelines.cli import development

    interrupts.leave_to_the_command()
    workspace = load_workspace(pack, home)
    workspace.open()
    raise SystemExit(development.run(workspace, host, port, events_port))


def serve_events(
    pack: PackOption = None,
    home: HomeOption = None,
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3001,
    per_second: Annotated[float, typer.Option(help="Requests accepted per second, on average.")] = 500.0,
) -> None:
    """Receive CloudEvents at POST /events.

    ZPO2_SECRET_EVENTS holds the secret of those who push, or several secrets.
    """
    from pipelines.extract.cloudevents import receiver

    interrupts.leave_to_the_command()
    workspace = load_workspace(pack, home)
    workspace.open()
    try:
        receiver.serve(workspace, host, port, receiver.Bounds(per_second=per_second, burst=max(1, round(2 * per_second))))
    except (ValueError, OSError, sqlite3.Error) as error:
        raise UsageError(str(error)) from None

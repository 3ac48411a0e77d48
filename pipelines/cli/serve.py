"""The commands that listen: serve, mcp, dev, serve-events."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import interrupts
from pipelines.cli.options import HOST, PORT, HomeOption, HostOption, PackOption, load_workspace, readable_workspace
from pipelines.core.errors import UsageError
from pipelines.core.workspace import check_path


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="Example: zpo2 serve --pack packs/demo --port 8000")(serve)
    app.command(epilog="Example: zpo2 mcp --pack packs/demo --http 127.0.0.1:8010")(mcp)
    app.command(epilog="Example: zpo2 dev --pack packs/demo --port 3000")(dev)
    app.command("serve-events", epilog="Example: zpo2 serve-events --pack packs/demo --port 3001")(serve_events)


def serve(
    pack: PackOption = None,
    home: HomeOption = None,
    host: HostOption = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = PORT,
) -> None:
    """Serve the releases on this machine."""
    import exports

    interrupts.leave_to_the_command()
    workspace = load_workspace(pack, home)
    print(f"http://{host}:{port}/  (latest/ leads into the current release; Ctrl+C stops)", flush=True)
    exports.serve(workspace.public, host, port)


def mcp(
    release: Annotated[
        Path | None,
        typer.Option("--release", help="Folder of a release, or a public folder; default: the current release of the workspace."),
    ] = None,
    http: Annotated[
        str | None, typer.Option("--http", metavar="HOST:PORT", help="Answer over HTTP at /mcp instead of standard input and output.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Name under which a proxy reaches --http; repeat it for several names.")
    ] = None,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Answer questions of assistants about a release (MCP).

    Read-only. Needs the package mcp: install zpo2-warehouse with its extra `mcp`.
    """
    if names and http is None:
        raise UsageError("--allow-host needs --http")
    address = None if http is None else _address(http)
    folder = release.absolute() if release is not None else readable_workspace(pack, home).public
    check_path(folder)
    try:
        from exports.serve import mcp_http, mcp_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise UsageError(
            "zpo2 mcp needs the package mcp: install zpo2-warehouse with its extra mcp, or run pip install 'mcp>=2.3,<3'"
        ) from None
    if address is None:
        mcp_server.server(folder).run("stdio")
        return
    interrupts.leave_to_the_command()
    host, port = address
    print(f"http://{http}{mcp_http.PATH}  (Ctrl+C stops)", flush=True)
    mcp_http.serve(folder, host, port, names or ())


def _address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`; an IPv6 address is in brackets. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not port.isascii() or not 0 < int(port[:6]) < 1 << 16:
        raise UsageError(f"--http {text}: expected HOST:PORT, such as 127.0.0.1:8010")
    return host.removeprefix("[").removesuffix("]"), int(port)


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

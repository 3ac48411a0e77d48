"""The commands that only look: status, quarantine, explain, verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli import console
from pipelines.cli.options import HomeOption, JsonOption, PackOption, load_workspace, printable, published_workspace
from pipelines.core.errors import ExitCode, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="Example: zpo2 status --pack packs/demo")(status)
    app.command(epilog="Example: zpo2 quarantine --pack packs/demo")(quarantine)
    app.command(epilog="Example: zpo2 explain population CZ 2021 --pack packs/demo")(explain)
    app.command(epilog="Example: zpo2 verify data/demo/public/releases/2026.11.1")(verify)


def status(pack: PackOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show sources, releases and the last gate."""
    from pipelines.cli.status import collect

    report = collect(load_workspace(pack, home))
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        console.status(report)


def quarantine(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    pack: PackOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List refused rows and cells with their reasons."""
    from pipelines.lake.quarantine import quarantine_frame

    workspace = load_workspace(pack, home)
    if source is not None and source not in workspace.pack.sources:
        raise UsageError(f"{source}: no such source in {workspace.pack.id}")
    rows: list[dict[str, Any]] = quarantine_frame(workspace, source).to_dicts()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        where = f"{row['source']} {row['part']}".strip() + f" row {row['row_number']}" + (f" {row['column']}" if row["column"] else "")
        print(printable(f"{where}: {row['reason']}" + (f"  {row['value']}" if row["value"] else "")))
    print(f"{len(rows)} refused rows and cells")


def explain(  # noqa: PLR0917 - arguments of the command
    indicator: Annotated[str, typer.Argument(help="Identifier of the indicator.")],
    area: Annotated[str, typer.Argument(help="Identifier of the area (ref_area).")],
    period: Annotated[str, typer.Argument(help="Period of the row; '-' for an indicator that was never collected.")],
    sex: Annotated[str, typer.Option("--sex", help="M, F or _T.")] = "_T",
    age: Annotated[str, typer.Option("--age", help="Age group.")] = "_T",
    pack: PackOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain one number and trace it to the rows of the sources.

    Shows the formula, every input cell with its snapshot and row, the roll-up, corrections, the status and the checks.
    """
    from pipelines.cli import explain as command

    raise SystemExit(command.run(load_workspace(pack, home), (indicator, area, period, sex, age), as_json))


def verify(
    release: Annotated[Path | None, typer.Argument(help="Folder of a release; default: the current one of the workspace.")] = None,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Check a release offline. Exit code 1 names each fault."""
    import exports
    from pipelines.runs.outcome import release_path

    if release is None:
        workspace = published_workspace(pack, home)
        release = release_path(workspace.public)
        if release is None:
            raise UsageError(f"{workspace.root}: nothing has been published yet")
    faults = exports.verify(release)
    for fault in faults:
        print(fault)
    if faults:
        raise SystemExit(ExitCode.FAILED)
    print(f"{release}: no fault")

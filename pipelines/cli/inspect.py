"""The commands that only show: status, quarantine, explain, verify."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli import console
from pipelines.cli.options import HomeOption, JsonOption, PackOption, load_workspace, printable, published_workspace
from pipelines.core.errors import ExitCode, UsageError
from pipelines.core.workspace import check_path

_NUMBER = re.compile(r"[+-]?[0-9][0-9., ]*")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="Example: zpo2 status --pack packs/demo")(status)
    app.command(epilog="Example: zpo2 quarantine --group-by reason --pack packs/demo")(quarantine)
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


class Grouping(StrEnum):
    """What entries of the quarantine are counted by."""

    REASON = "reason"


def quarantine(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    group_by: Annotated[
        Grouping | None, typer.Option("--group-by", help="Count the entries by reason, with the first row and value of each.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Largest number of lines to show.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of text.")] = False,
    pack: PackOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List refused rows and cells with their reasons."""
    from pipelines.lake.quarantine import by_reason, quarantine_frame

    workspace = load_workspace(pack, home)
    if source is not None and source not in workspace.pack.sources:
        raise UsageError(f"{source}: no such source in {workspace.pack.id}")
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other")
    entries = quarantine_frame(workspace, source)
    frame = by_reason(entries) if group_by else entries
    shown = frame.head(limit) if limit else frame
    rows: list[dict[str, Any]] = shown.to_dicts()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    if as_csv:
        _print_csv(shown.columns, rows)
        return
    for row in rows:
        print(printable(_group_line(row) if group_by else _entry_line(row)))
    hidden = f"; {len(rows)} of {frame.height} lines shown" if len(rows) < frame.height else ""
    print(f"{entries.height} refused rows and cells{hidden}")


def _entry_line(row: dict[str, Any]) -> str:
    place = [row["source"], row["part"], f"row {row['row_number']}", row["cell"], row["column"]]
    where = " ".join(text for text in place if text)
    return f"{where}: {row['reason']}" + (f"  {row['value']}" if row["value"] else "")


def _group_line(row: dict[str, Any]) -> str:
    what = row["source"] + (f" {row['column']}" if row["column"] else "")
    return f"{row['count']} x {what}: {row['reason']}  (first in row {row['first_row']}: {row['first_value'] or row['first_reason']})"


def _print_csv(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Print a table as CSV. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_no_formula(value) for value in row.values()])


def _no_formula(value: Any) -> Any:
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value


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
    check_path(release.absolute())
    faults = exports.verify(release)
    for fault in faults:
        print(fault)
    if faults:
        raise SystemExit(ExitCode.FAILED)
    print(f"{release}: no fault")

"""The command preview: prints what one source gives, step by step, before the pack is finished."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pipelines.cli.options import HomeOption, JsonOption, PackOption, printable, settings_of
from pipelines.core.errors import ExitCode

_WIDTH = 24  # characters of a cell in a printed table
_TABLE_COLUMNS = 8
_REASONS = 20


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="Example: zpo2 preview areas --pack packs/demo")(preview)


def preview(
    source: Annotated[str, typer.Argument(help="Identifier of the source.")],
    part: Annotated[str | None, typer.Option("--part", help="Part to show, such as year=2021; default: the first one.")] = None,
    pack: PackOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a source gives before the pack is finished.

    Fetches one part and shows the columns and first rows that the reader gives, what the contract refuses, and what the map makes. Other
    files of the pack may have faults. Nothing is written to the workspace.
    """
    from pipelines.lake.ingest.preview import preview as read_preview
    from pipelines.packs.drafts import load_draft
    from pipelines.packs.workspace import Workspace

    settings = settings_of(pack, home)
    draft = load_draft(settings.pack, source)
    workspace = Workspace.of(draft.pack, settings.home_of(draft.pack.id), settings)
    result = asdict(read_preview(workspace, draft, part))
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        _show(result)
    if result["stopped"] and draft.is_complete:
        raise SystemExit(ExitCode.FAILED)


def _show(result: Mapping[str, Any]) -> None:
    print(printable(f"{result['source']} {result['part']}".strip() + f": {result['url']}, {result['bytes']} bytes"))
    for fault in result["faults"]:
        print(printable(f"fault       {fault}"))
    if result["columns"]:
        print(f"read        {result['rows_read']} rows, {len(result['columns'])} columns")
        for column in result["columns"]:
            declared = f" -> {column['declared']}" if column["declared"] else "  (not declared)"
            empty = f", {column['empty']} empty" if column["empty"] else ""
            print(printable(f"  {column['name']}: {column['looks_like']}{empty}, such as {_short(column['example'])!r}{declared}"))
        _table(result["sample"])
    if result["stopped"]:
        print(printable(f"stopped     {result['stopped']}"))
        return
    for line in result["missing_columns"]:
        print(printable(f"missing     {line}"))
    print(
        f"contract    {result['rows_read']} read = {result['accepted']} accepted + {result['rows_refused']} refused + "
        f"{result['rows_ignored'] + result['repeats'] + result['not_selected']} ignored; {result['cells_refused']} single cells refused"
    )
    for name, lookup in result["lookups"].items():
        print(printable(f"  lookup {name}: {lookup['matched']} of {lookup['rows']} rows match a row of {lookup['source']}"))
    for group in result["refused"][:_REASONS]:
        place = f"{group['column']}: " if group["column"] else ""
        value = f"  {_short(group['first_value'], 120)}" if group["first_value"] else ""
        print(printable(f"  {group['count']} x {place}{group['first_reason']} (first in row {group['first_row']}){value}"))
    if len(result["refused"]) > _REASONS:
        print(f"  and {len(result['refused']) - _REASONS} more reasons")
    print(f"map         {result['rows_made']} {result['made']}" + (f"; {result['areas']} areas are known" if result["areas"] else ""))
    for name, values in result["measures"].items():
        print(printable(
            f"  {name}: {values['values']} values of {values['areas']} areas, {values['first_period']} to {values['last_period']}, "
            f"between {_number(values['smallest'])} and {_number(values['largest'])}, together {_number(values['sum'])}"
        ))  # fmt: skip
    _table(result["made_sample"])


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as an aligned table; columns that do not fit are left out, and their number is stated."""
    if not rows:
        return
    names = list(rows[0])[:_TABLE_COLUMNS]
    cells = [[_short(name) for name in names]] + [[_short(_number(row[name])) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    for line in cells:
        print("    " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if len(rows[0]) > len(names):
        print(f"    and {len(rows[0]) - len(names)} more columns")


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _short(text: str, width: int = _WIDTH) -> str:
    line = printable(text)
    return line if len(line) <= width else f"{line[: width - 3]}..."

"""The command that compares the current release with an earlier one. Reads only; `exports.changes` does the work."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import HomeOption, JsonOption, PackOption, published_workspace
from pipelines.core import atomic
from pipelines.core.errors import Zpo2Error

if TYPE_CHECKING:
    from exports.release.comparison import Comparison


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="Example: zpo2 changes --pack packs/demo --since 2026.11.1 --out changes.csv")(changes)


def changes(
    since: Annotated[str | None, typer.Option("--since", help="Version to compare with; default: the release before.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for every difference, as in the table `changes`.")] = None,
    as_json: JsonOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Compare the current release with an earlier one.

    Counts rows and cells by table and reason.
    """
    from exports.release import comparison

    workspace = published_workspace(pack, home)
    try:
        with tempfile.TemporaryDirectory(dir=workspace.root, prefix=atomic.TEMPORARY) as spill:
            compared = comparison.compare_current(workspace.public, since, Path(spill), out)
    except OSError as error:
        raise Zpo2Error(f"{error.filename or workspace.root}: {error.strerror}") from None
    if as_json:
        summary = compared.summary.to_json() if compared.summary else {"from_version": None, "tables": {}}
        print(json.dumps({"version": compared.version, **summary}, ensure_ascii=False, indent=1))
        return
    for line in lines(compared):
        print(line)


def lines(compared: Comparison) -> Iterator[str]:
    """Yield the comparison as lines of text."""
    if compared.summary is None:
        yield f"{compared.version} is the first release"
        return
    yield f"{compared.version} against {compared.summary.version}"
    unchanged = []
    for name, t in compared.summary.tables.items():
        if t.is_unchanged:
            unchanged.append(name)
            continue
        rows = f"{t.before or 0} rows + {t.added} new - {t.removed} withdrawn = {t.after or 0}"
        kinds = ", ".join(f"{count} {kind}" for kind, count in t.cells.items())
        yield f"{name}: {rows}; {sum(t.cells.values())} cells changed" + (f" ({kinds})" if kinds else "")
    if unchanged:
        yield f"unchanged: {', '.join(unchanged)}"

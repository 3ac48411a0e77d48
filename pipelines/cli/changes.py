"""The command that says what is different from an earlier release. Reads only; what differs is found by `exports.changes`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.releases import HomeOption, PackOption, placed
from pipelines.core import atomic
from pipelines.runs.run import FAILED

if TYPE_CHECKING:
    from exports.release.comparison import Comparison


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="Example: zpo2 changes --pack packs/demo --since 2026.11.1 --out changes.csv")(changes)


def changes(
    since: Annotated[str | None, typer.Option("--since", help="Version to compare with; default: the release before.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for every difference, as in the table `changes`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Say what is different in the current release from an earlier one: rows and cells by table and reason."""
    from exports import ReleaseError
    from exports.release import comparison

    place, _ = placed(pack, home)
    try:
        with tempfile.TemporaryDirectory(dir=place.root, prefix=atomic.TEMPORARY) as spill:
            found = comparison.compare_current(place.public, since, Path(spill), out)
    except ReleaseError as error:
        print(str(error), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        print(f"{error.filename or place.root}: {error.strerror}", file=sys.stderr)
        raise SystemExit(FAILED) from None
    if as_json:
        told = found.summary.to_json() if found.summary else {"from_version": None, "tables": {}}
        print(json.dumps({"version": found.version, **told}, ensure_ascii=False, indent=1))
        return
    for line in lines(found):
        print(line)


def lines(found: Comparison) -> Iterator[str]:
    """Yield what was found, for people."""
    if found.summary is None:
        yield f"{found.version} is the first release"
        return
    yield f"{found.version} against {found.summary.version}"
    same = []
    for name, t in found.summary.tables.items():
        if t.is_unchanged:
            same.append(name)
            continue
        rows = f"{t.before or 0} rows + {t.added} new - {t.removed} withdrawn = {t.after or 0}"
        kinds = ", ".join(f"{count} {kind}" for kind, count in t.cells.items())
        yield f"{name}: {rows}; {sum(t.cells.values())} cells changed" + (f" ({kinds})" if kinds else "")
    if same:
        yield f"unchanged: {', '.join(same)}"

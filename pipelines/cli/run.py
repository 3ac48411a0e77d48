"""The commands that run a pack: run, check, lock."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines import bundled
from pipelines.cli import console
from pipelines.cli.options import HomeOption, JsonOption, PackOption, load_workspace, settings_of
from pipelines.core.errors import ExitCode, UsageError
from pipelines.core.workspace import WorkspaceFolder
from pipelines.packs import Pack, load
from pipelines.packs.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="Example: zpo2 run --pack packs/demo")(run)
    app.command(epilog="Example: zpo2 check --pack packs/demo")(check)
    app.command(epilog="Example: zpo2 lock --pack packs/demo")(lock)


def run(  # noqa: PLR0917 - options of the command
    pack: PackOption = None,
    home: HomeOption = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Fetch and process only this source; may be repeated.")] = None,
    part: Annotated[str | None, typer.Option("--part", help="Fetch only parts whose variable lies in a range: year=2021..2023.")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="Publish although this check failed; may be repeated.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why the checks are accepted; part of the release.")] = None,
    vintage: Annotated[str | None, typer.Option("--vintage", help="Use the snapshots known at this date or time; needs --out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the release of --vintage; new or empty.")] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, max=7 * 24 * 60, help="Minutes to wait while another process writes to the workspace.")
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Fetch, check, transform, gate and publish."""
    from pipelines.orchestration import in_process
    from pipelines.runs.vintage import check_folder, moment

    workspace = load_workspace(pack, home)
    if (vintage is None) != (out is None):
        raise UsageError("--vintage and --out go together")
    if vintage is not None and (only or part or accept):
        raise UsageError("--vintage goes with --out only: it fetches nothing and accepts no failed check")
    if bool(accept) != (reason is not None):
        raise UsageError("--accept and --reason go together")
    unknown = [name for name in only or [] if name not in workspace.pack.sources]
    if unknown:
        raise UsageError(f"--only {unknown[0]}: no such source in {workspace.pack.id}")
    part_range = _part_range(workspace.pack, part)
    if accept:
        from pipelines.orchestration import check_names

        check_names.assert_known(workspace, accept)
    display = console.Display(quiet=as_json)
    if vintage is not None and out is not None:
        time = moment(vintage)
        check_folder(out)
        with display:
            outcome = in_process.run_vintage(workspace, time, out.absolute(), display.show, wait * 60)
        _end(workspace, outcome, as_json)
    with display:
        outcome = in_process.run(
            workspace, only=tuple(only) if only else None, part=part_range, accepted=dict.fromkeys(accept or [], reason or ""),
            report=display.show, wait=wait * 60,
        )  # fmt: skip
    _end(workspace, outcome, as_json)


def _end(workspace: Workspace, outcome: dict[str, Any], as_json: bool) -> NoReturn:
    """Print the outcome of a run and leave with its exit code."""
    if as_json:
        print(json.dumps(outcome, ensure_ascii=False, indent=1))
    else:
        console.summary(workspace, outcome)
    raise SystemExit(outcome["exit_code"])


def _part_range(pack: Pack, text: str | None) -> tuple[str, tuple[str, ...]] | None:
    try:
        return None if text is None else pack.part_range(text)
    except ValueError as error:
        raise UsageError(f"--part {error}") from None


def check(pack: PackOption = None, home: HomeOption = None) -> None:
    """Check a pack without running it.

    A workspace that is given must belong to the pack.
    """
    settings = settings_of(pack, home)
    loaded = load(settings.pack, with_files=True)
    if settings.home is not None:
        WorkspaceFolder(settings.home.absolute()).owned_by(loaded.id)
    print(
        f"{loaded.id}: {len(loaded.sources) + len(loaded.counted)} sources, {len(loaded.indicators)} indicators, "
        f"{len(loaded.indices)} indices: no fault"
    )


def lock(pack: PackOption = None, home: HomeOption = None) -> None:
    """Fetch all sources and pin their content in snapshots.lock."""
    from pipelines.orchestration import in_process

    workspace = load_workspace(pack, home)
    if bundled.is_bundled(workspace.pack.root):
        raise UsageError(
            f"{workspace.pack.root}: this pack belongs to the installed package and cannot be changed; give your own with --pack"
        )
    with console.Display() as display:
        count, errors = in_process.lock_snapshots(workspace, display.show)
    for line in errors:
        print(line, file=sys.stderr)
    print(f"{workspace.pack.root / 'snapshots.lock'}: {count} snapshots pinned")
    raise SystemExit(ExitCode.FAILED if errors else 0)

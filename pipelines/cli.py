"""The `zpo2` command: reads options, calls the pipeline, says what happened. Imports Dagster, dbt and Great Expectations only to run them."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines import bundled, packs
from pipelines.commands import changes, console, init, push, releases
from pipelines.home import Busy, Home, HomeError
from pipelines.pack_yaml import PackError
from pipelines.packs import Pack
from pipelines.runs import FAILED, WRONG, last_release_path
from pipelines.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Turn municipal data into indicators and publish them as open data.",
)  # fmt: skip

PackOption = Annotated[
    Path | None, typer.Option("--pack", help="Folder of the pack (ZPO2_PACK; default: packs/demo, else the built-in demo pack).")
]
HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder a run writes to (ZPO2_HOME; default: ./data/<pack id>).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print(f"zpo2 {version('zpo2-warehouse')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version of the software and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error is a line for the person who must act, never a stack trace."""
    try:
        app()
    except PackError as error:
        _stop(WRONG, *error.lines)
    except HomeError as error:
        _stop(WRONG, str(error))
    except Busy as error:
        _stop(FAILED, str(error))
    except KeyboardInterrupt:
        _stop(130, "stopped")


def _stop(code: int, *lines: str) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)
    raise SystemExit(code)


def _place(pack: Path | None, home: Path | None) -> tuple[Settings, Pack, Home]:
    settings = Settings()
    if pack is not None:
        settings.pack = pack
    if home is not None:
        settings.home = home
    settings.pack = settings.pack.absolute()
    loaded = packs.load(settings.pack)
    place = Home(settings.home_of(loaded.id))
    place.owned_by(loaded.id)
    return settings, loaded, place


@app.command(epilog="Example: zpo2 run --pack packs/demo")
def run(  # noqa: PLR0917 - options of the command
    pack: PackOption = None,
    home: HomeOption = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Take up only this source; may be repeated.")] = None,
    part: Annotated[str | None, typer.Option("--part", help="Fetch only parts whose variable lies in a range: year=2021..2023.")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="Let a failed check through, by name; may be repeated.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why they are let through; becomes part of the release.")] = None,
    vintage: Annotated[str | None, typer.Option("--vintage", help="Use the snapshots known at this date or time; needs --out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the release of --vintage; new or empty.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch, check, transform, gate and publish."""
    from pipelines import runner
    from pipelines.vintage import VintageError, check_folder, moment

    settings, loaded, place = _place(pack, home)
    if (vintage is None) != (out is None):
        _stop(WRONG, "--vintage and --out go together")
    if vintage is not None and (only or part or accept):
        _stop(WRONG, "--vintage goes with --out only: it fetches nothing and lets nothing through")
    if bool(accept) != (reason is not None):
        _stop(WRONG, "--accept and --reason go together")
    unknown = [name for name in only or [] if name not in loaded.sources]
    if unknown:
        _stop(WRONG, f"--only {unknown[0]}: no such source in {loaded.id}")
    chosen = _part_range(loaded, part)
    display = console.Display(quiet=as_json)
    if vintage is not None and out is not None:
        try:
            time = moment(vintage)
            check_folder(out)
        except VintageError as error:
            _stop(WRONG, str(error))
        with display:
            outcome = runner.run_vintage(loaded, place, settings, time, out.absolute(), display.show)
        _end(loaded, place, outcome, as_json)
    with display:
        outcome = runner.run(
            loaded, place, settings, only=tuple(only) if only else None, part=chosen,
            accepted=dict.fromkeys(accept or [], reason or ""), listen=display.show,
        )  # fmt: skip
    _end(loaded, place, outcome, as_json)


def _end(pack: Pack, home: Home, outcome: dict[str, Any], as_json: bool) -> NoReturn:
    """Say what a run came to, and leave with its exit code."""
    if as_json:
        print(json.dumps(outcome, ensure_ascii=False, indent=1))
    else:
        console.summary(pack, home, outcome)
    raise SystemExit(outcome["exit_code"])


def _part_range(pack: Pack, text: str | None) -> tuple[str, tuple[str, ...]] | None:
    try:
        return None if text is None else pack.part_range(text)
    except ValueError as error:
        _stop(WRONG, f"--part {error}")


@app.command(epilog="Example: zpo2 check --pack packs/demo")
def check(pack: PackOption = None, home: HomeOption = None) -> None:
    """Check a pack without running it. A home that is given must be the pack's own."""
    settings = Settings()
    loaded = packs.load((pack or settings.pack).absolute())
    given = home or settings.home
    if given is not None:
        Home(given.absolute()).owned_by(loaded.id)
    print(
        f"{loaded.id}: {len(loaded.sources) + len(loaded.counted)} sources, {len(loaded.indicators)} indicators, "
        f"{len(loaded.indices)} indices: no fault"
    )


@app.command(epilog="Example: zpo2 lock --pack packs/demo")
def lock(pack: PackOption = None, home: HomeOption = None) -> None:
    """Fetch all sources and pin their content in snapshots.lock."""
    from pipelines import runner

    settings, loaded, place = _place(pack, home)
    if bundled.is_bundled(settings.pack):
        _stop(WRONG, f"{settings.pack}: this pack belongs to the installed package and cannot be changed; give your own with --pack")
    with console.Display() as display:
        count, errors = runner.lock(loaded, place, settings, display.show)
    for line in errors:
        print(line, file=sys.stderr)
    print(f"{settings.pack / 'snapshots.lock'}: {count} snapshots pinned")
    raise SystemExit(FAILED if errors else 0)


@app.command(epilog="Example: zpo2 status --pack packs/demo")
def status(pack: PackOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show sources, releases and the last gate."""
    from pipelines.commands import status as report

    _, loaded, place = _place(pack, home)
    found = report.collect(loaded, place)
    print(json.dumps(found, ensure_ascii=False, indent=1)) if as_json else console.status(found)


@app.command(epilog="Example: zpo2 quarantine --pack packs/demo")
def quarantine(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    pack: PackOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List refused rows and cells with their reasons."""
    from pipelines.quarantine import quarantine_frame

    _, loaded, place = _place(pack, home)
    if source is not None and source not in loaded.sources:
        _stop(WRONG, f"{source}: no such source in {loaded.id}")
    rows: list[dict[str, Any]] = quarantine_frame(place, source).to_dicts()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        where = f"{row['source']} {row['part']}".strip() + f" row {row['row_number']}" + (f" {row['column']}" if row["column"] else "")
        line = f"{where}: {row['reason']}" + (f"  {row['value']}" if row["value"] else "")
        # what a file brings may be commands to the terminal
        print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line))
    print(f"{len(rows)} refused rows and cells")


@app.command(epilog="Example: zpo2 explain population CZ 2021 --pack packs/demo")
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
    from pipelines.explain import command

    settings, loaded, place = _place(pack, home)
    raise SystemExit(command.run(loaded, place, settings, (indicator, area, period, sex, age), as_json))


@app.command(epilog="Example: zpo2 verify data/demo/public/releases/2026.11.1")
def verify(
    release: Annotated[Path | None, typer.Argument(help="Folder of a release; default: the current one of the home.")] = None,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Check a release offline. Exit code 1 names each fault."""
    import exports

    if release is None:
        place, _ = releases.placed(pack, home)
        release = last_release_path(place.public)
        if release is None:
            _stop(WRONG, f"{place.root}: nothing was published yet")
    faults = exports.verify(release)
    for fault in faults:
        print(fault)
    if faults:
        raise SystemExit(1)
    print(f"{release}: no fault")


@app.command(epilog="Example: zpo2 serve --pack packs/demo --port 8000")
def serve(
    pack: PackOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the releases locally, with a redirect from latest/."""
    import exports

    _, _, place = _place(pack, home)
    print(f"http://{host}:{port}/  (latest/ leads into the current release; Ctrl+C stops)", flush=True)
    exports.serve(place.public, host, port)


@app.command(epilog="Example: zpo2 dev --pack packs/demo --port 3000")
def dev(
    pack: PackOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address of the UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    events_port: Annotated[int, typer.Option(help="Port of the receiver of pushed events.")] = 3001,
) -> None:
    """Open Dagster's UI and daemon for this pack and home. Receives pushed events, too, if ZPO2_SECRET_EVENTS is set."""
    from pipelines.commands import development

    settings, loaded, place = _place(pack, home)
    place.open(loaded.id)
    raise SystemExit(development.run(settings.pack, place, host, port, events_port))


@app.command("serve-events", epilog="Example: zpo2 serve-events --pack packs/demo --port 3001")
def serve_events(
    pack: PackOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3001,
    per_second: Annotated[float, typer.Option(help="Requests a second that are taken, on average.")] = 500.0,
) -> None:
    """Receive CloudEvents at POST /events. ZPO2_SECRET_EVENTS holds the secret of the senders, or several secrets."""
    from pipelines.events import receiver

    _, loaded, place = _place(pack, home)
    place.open(loaded.id)
    try:
        receiver.serve(loaded, place, host, port, receiver.Bounds(per_second=per_second, burst=max(1, round(2 * per_second))))
    except (ValueError, OSError, sqlite3.Error) as error:
        _stop(WRONG, str(error))


init.register(app)
releases.register(app)
changes.register(app)
push.register(app)

if __name__ == "__main__":
    main()

"""The `zpo2` command: puts the groups of commands together and turns errors into lines and exit codes.

The modules of the commands import Dagster, dbt and Great Expectations only inside the functions that need them.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from pipelines.cli import accept, changes, init, inspect, preview, push, releases, run, serve, terminal
from pipelines.core import machine, state
from pipelines.core.errors import ExitCode, Zpo2Error

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Turn municipal, census and event data into an open-data warehouse of indicators.",
)


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


for group in (run, accept, preview, inspect, serve, init, releases, changes, push):
    group.register(app)


def main() -> None:
    """Run the command line. An error is one line per fault on stderr and an exit code, never a stack trace."""
    terminal.guard()
    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no reason for stack traces
    state.log.addHandler(logging.StreamHandler())  # what was damaged and made again
    try:
        app()
    except Zpo2Error as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:  # of a server, which ends by itself
        print("interrupted", file=sys.stderr)
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        if (fault := machine.fault_of(error)) is None:
            raise
        print(f"{fault}; the last release stands", file=sys.stderr)
        raise SystemExit(ExitCode.FAILED) from None


if __name__ == "__main__":
    main()

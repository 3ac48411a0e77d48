"""Where the `zpo2` command starts: from here on an interruption ends it with one line, also while its modules are imported."""

from pipelines.cli.interrupts import end_at_once

end_at_once()


def main() -> None:
    """Run the command line."""
    from pipelines.cli import app

    app.main()

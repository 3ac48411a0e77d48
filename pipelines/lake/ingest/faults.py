"""An error while a source is processed: it stays with that source and becomes a reason in words. Decides nothing about snapshots."""

from __future__ import annotations

import logging

from pipelines.core.errors import Zpo2Error, in_one_line
from pipelines.core.machine import is_of_machine

_log = logging.getLogger("zpo2.ingest")


def reason_of(error: BaseException, source: str) -> str:
    """Return the reason in words why a source cannot be processed. Raises `error` again where it is not about the source.

    An interruption ends the run, and so does a machine without disk space, memory or open files. Every other error, also one that nobody
    thought of (a panic of polars is no Exception), belongs to the source whose rows were processed, and is logged with its place.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) or is_of_machine(error):
        raise error
    if isinstance(error, Zpo2Error):
        return str(error)
    _log.error("a source failed unexpectedly", extra={"source": source}, exc_info=error)
    return f"the rows cannot be processed: {in_one_line(error)}"

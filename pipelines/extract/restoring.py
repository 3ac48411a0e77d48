"""Snapshots whose bytes were damaged on the disk: fetched again, or made again from the events that the queue keeps."""

from __future__ import annotations

import logging
from collections.abc import Collection

from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import restore_records
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.packs.workspace import Workspace

_log = logging.getLogger("zpo2.files")


def restore_snapshots(workspace: Workspace, damaged: Collection[tuple[str, str]]) -> list[str]:
    """Get the bytes of damaged sources and parts again, and return one line for each: what was done.

    The archive no longer has the bytes, so servers get no conditional request. A file that was dropped into the inbox cannot be restored:
    the ingest then reports that the part lacks its snapshot.
    """
    sources = {name: workspace.pack.sources[name] for name, _ in damaged}
    names = {name for name, source in sources.items() if source.fetch.url}
    fetched = {(r.request.source.id, r.request.part.name): r for r in fetch_sources(workspace, names)} if names else {}
    states, lines = SourceStates(workspace.fetch_state), []
    for name, part in sorted(damaged):
        result = fetched.get((name, part))
        if result is not None:
            what = "was fetched again" if result.snapshot else f"could not be fetched again: {result.error}"
        elif sources[name].fetch.brings_records and workspace.queue.is_file():
            with Queue(workspace.queue) as queue:
                is_restored = restore_records(workspace, queue, states, sources[name], part)
            lost = "cannot be made again, because the queue lacks its events: restore the archive from a backup"
            what = "was made again from the pushed events" if is_restored else lost
        else:
            what = f"cannot be fetched: drop the file into inbox/{name}/ again"
        lines.append(f"the snapshot of {f'{name} {part}'.strip()} was damaged on the disk, and {what}")
    _log.error("damaged snapshots were replaced", extra={"snapshots": lines})
    return lines

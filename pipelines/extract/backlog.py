"""What came by itself since the last run: files of the inbox, records of the queue. Taken up under the home's lock, remembered, then cleared.

Killed between any two steps, the next run does the same again and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents import drain
from pipelines.extract.cloudevents.queue import Queue, Segment
from pipelines.extract.http.request import Answer
from pipelines.extract.source_state import States
from pipelines.packs.workspace import Workspace


def drain_inbox(
    workspace: Workspace,
    only: Collection[str] | None = None,
    done: Callable[[Answer], None] | None = None,
    *,
    segments: bool = True,
) -> list[Answer]:
    """Make snapshots of all complete files of the inbox (of the sources in `only`) and of the open segments of the queue.

    With `segments` false the queue is left alone. The caller holds the home's lock.
    """
    answers = _files(workspace, only)
    if segments and workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            for segment in queue.open_segments():
                answers += _segment(workspace, queue, segment)
    for answer in answers:
        if done:
            done(answer)
    return answers


def seal_segments(workspace: WorkspaceFolder) -> None:
    """Cut everything that waits in the queue into segments: a run that somebody asks for leaves nothing behind."""
    if workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            while queue.cut(workspace.settings.now(), whole=True):
                pass


def _files(workspace: Workspace, only: Collection[str] | None) -> list[Answer]:
    answers = []
    states = States(workspace.fetch_state)
    for answer, file in inbox.take_up(workspace, states, only):
        states.learn(answer, workspace.settings.now())
        states.save()
        if answer.snapshot is not None:
            inbox.remove(file.path, file.identity)
        answers.append(answer)
    return answers


def _segment(workspace: Workspace, queue: Queue, segment: Segment) -> list[Answer]:
    answers = drain.drain(workspace, queue, segment)
    states = States(workspace.fetch_state)
    for answer in answers:
        states.learn(answer, workspace.settings.now())
    states.save()
    queue.drained(segment.number, workspace.settings.now())
    return answers

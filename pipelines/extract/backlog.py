"""What came by itself since the last run: files of the inbox, records of the queue. Taken up under the home's lock, remembered, then cleared.

Killed between any two steps, the next run does the same again and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.extract import inbox
from pipelines.extract.cloudevents import drain
from pipelines.extract.cloudevents.queue import Queue, Segment
from pipelines.extract.http.request import Answer
from pipelines.extract.source_state import States
from pipelines.packs import Pack


def take_up(
    pack: Pack,
    home: Home,
    settings: Settings,
    only: Collection[str] | None = None,
    done: Callable[[Answer], None] | None = None,
    *,
    segments: bool = True,
) -> list[Answer]:
    """Make snapshots of all complete files of the inbox (of the sources in `only`) and of the open segments of the queue.

    With `segments` false the queue is left alone. The caller holds the home's lock.
    """
    answers = _files(pack, home, settings, only)
    if segments and home.queue.is_file():
        with Queue(home.queue) as queue:
            for segment in queue.open_segments():
                answers += _segment(pack, home, settings, queue, segment)
    for answer in answers:
        if done:
            done(answer)
    return answers


def cut_all(home: Home, settings: Settings) -> None:
    """Cut everything that waits in the queue into segments: a run that somebody asks for leaves nothing behind."""
    if home.queue.is_file():
        with Queue(home.queue) as queue:
            while queue.cut(settings.now(), whole=True):
                pass


def _files(pack: Pack, home: Home, settings: Settings, only: Collection[str] | None) -> list[Answer]:
    answers = []
    states = States(home.fetch_state)
    for answer, file in inbox.take_up(pack, home, settings, states, only):
        states.learn(answer, settings.now())
        states.save()
        if answer.snapshot is not None:
            inbox.remove(file.path, file.identity)
        answers.append(answer)
    return answers


def _segment(pack: Pack, home: Home, settings: Settings, queue: Queue, segment: Segment) -> list[Answer]:
    answers = drain.drain(pack, home, settings, queue, segment)
    states = States(home.fetch_state)
    for answer in answers:
        states.learn(answer, settings.now())
    states.save()
    queue.drained(segment.number, settings.now())
    return answers

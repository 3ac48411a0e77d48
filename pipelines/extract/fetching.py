"""Fetching what a pack declares, and remembering what came: the ingest reads only what lies in the archive."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceState, States
from pipelines.packs.workspace import Workspace

LEFT_ALONE = "; not asked again before "


def fetch_sources(
    workspace: Workspace,
    only: Collection[str] | None = None,
    part: tuple[str, Collection[str]] | None = None,
    done: Callable[[Answer], None] | None = None,
    limits: Limits | None = None,
    *,
    insist: bool | None = None,
) -> list[Answer]:
    """Fetch every part of the enabled sources (or of `only`, or the parts whose variable has one of the values), and remember the outcome.

    A part whose breaker is open is asked only where somebody insists: by default, where its source is named in `only`.
    """
    insist = only is not None if insist is None else insist
    states = States(workspace.fetch_state)
    archive = Archive(workspace.archive)
    requests, answers = [], []
    now = workspace.settings.now()
    for source in workspace.pack.sources.values():
        if not source.enabled or not source.fetch.url or (only is not None and source.id not in only):
            continue
        for item in workspace.pack.parts(source):
            if part is not None and part[0] in item.variables and item.variables[part[0]] not in part[1]:
                continue
            state = states.get(source.id, item.name)
            request = Request(source, item, address(source, item), state.as_last())
            if not insist and state.is_open(now):
                answers.append(_left_alone(request, state))
            else:
                requests.append(request)
    for answer in answers:
        if done:
            done(answer)
    answers += fetch_all(workspace.pack, requests, archive, workspace.settings, done, limits)
    for answer in answers:
        states.learn(answer, now)
    states.save()
    return answers


def _left_alone(request: Request, state: SourceState) -> Answer:
    error = (state.error or "").split(LEFT_ALONE)[0]
    words = f"{error}{LEFT_ALONE}{state.not_before}, after {state.failures} failures in a row"
    return Answer(request, None, words, asked=False)

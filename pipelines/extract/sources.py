"""Fetch the sources that a pack declares, and remember the results. The ingest reads only what is in the archive."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceState, SourceStates
from pipelines.packs.workspace import Workspace

NEXT_ATTEMPT = "; next attempt not before "


def fetch_sources(
    workspace: Workspace,
    only: Collection[str] | None = None,
    part: tuple[str, Collection[str]] | None = None,
    on_result: Callable[[FetchResult], None] | None = None,
    limits: Limits | None = None,
    *,
    names: Collection[str] | None = None,
    ignore_breakers: bool | None = None,
) -> list[FetchResult]:
    """Fetch all parts of the enabled sources and remember the results.

    `only` names the sources to fetch; `part` is a variable with the values of the parts to fetch, `names` are the names of parts.
    A part whose breaker is open is fetched
    only with `ignore_breakers`, which by default is true for the sources that `only` names.
    """
    ignore_breakers = only is not None if ignore_breakers is None else ignore_breakers
    states = SourceStates(workspace.fetch_state)
    archive = Archive(workspace.archive)
    requests, results = [], []
    now = workspace.settings.now()
    for source in workspace.pack.sources.values():
        if not source.enabled or not source.fetch.url or (only is not None and source.id not in only):
            continue
        for item in workspace.pack.parts(source):
            if part is not None and part[0] in item.variables and item.variables[part[0]] not in part[1]:
                continue
            if names is not None and item.name not in names:
                continue
            state = states.get(source.id, item.name)
            request = Request(source, item, address(source, item))
            if state.answers(request.digest):
                request = replace(request, last=state.last_fetch)
            if not ignore_breakers and state.breaker_is_open(now):
                results.append(_skipped(request, state))
            else:
                requests.append(request)
    for result in results:
        if on_result:
            on_result(result)
    results += fetch_all(workspace.pack, requests, archive, workspace.settings, on_result, limits)
    for result in results:
        states.record_result(result, now)
    states.save()
    return results


def _skipped(request: Request, state: SourceState) -> FetchResult:
    """Return the result of a part whose breaker is open: its last error, and when it is tried again."""
    error = (state.error or "").split(NEXT_ATTEMPT)[0]
    message = f"{error}{NEXT_ATTEMPT}{state.not_before}, after {state.failures} failures in a row"
    return FetchResult(request, None, message, attempted=False)

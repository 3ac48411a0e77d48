"""Announcements of releases: published, withdrawn and taken back, as CloudEvents to one webhook, at least once and in their order.

`ZPO2_SECRET_RELEASE_URL` is the address, `ZPO2_SECRET_RELEASE_KEY` the key of the signature. What is to be announced is the journal of the
ledger, which is written after a release is current; kept here is only what of it was delivered. So a process may be killed at any moment,
and the next one finds what is left. An event is the same bytes each time it is sent, for as long as its release stays as it is.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from exports.model.errors import ReleaseError
from exports.release import feed, ledger
from exports.release.entries import PUBLISHED, RELEASES, ROLLBACK, WITHDRAWN, LedgerEvent
from exports.release.ledger import Ledger
from pipelines.core import atomic
from pipelines.core.iri import escape_iri
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.notify.webhook import DeliveryError, send

URL, KEY = "ZPO2_SECRET_RELEASE_URL", "ZPO2_SECRET_RELEASE_KEY"
TYPES = {
    PUBLISHED: "org.zpo2.release.published", WITHDRAWN: "org.zpo2.release.withdrawn", ROLLBACK: "org.zpo2.release.rolledback",
}  # fmt: skip
PATIENCE = 15.0
"""Seconds that one delivery may take, however many announcements wait and whatever the webhook does."""
_LIMITS = Limits(connect=5, silence=10, retries=0)  # the next run or tick is the next try
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_log = logging.getLogger("zpo2.announcements")


@dataclass(frozen=True)
class _State:
    """What was delivered; `announcing`: some process of this home knew the address, so that one which does not leaves the work to it."""

    told: tuple[str, ...]
    announcing: bool


def prepare(workspace: WorkspaceFolder) -> None:
    """Have what happened so far counted as told, where nothing was ever announced. To be called before anything new can happen."""
    try:
        if not workspace.announced.is_file():
            _keep(workspace, _State(tuple(_key(h) for h in ledger.read_ledger(workspace.public).events), False))
        state = _state(workspace)
        if workspace.settings.secret(URL) and not state.announcing:
            _keep(workspace, replace(state, announcing=True))
    except (ReleaseError, OSError, ValueError) as error:  # whoever goes on will meet it too, and say so
        _log.error("releases were not counted as told", extra={"reason": str(error)})


def waiting(workspace: WorkspaceFolder) -> int:
    """Return how many announcements were not delivered yet. Raises ReleaseError."""
    if not workspace.announced.is_file():
        return 0
    told = _state(workspace).told
    return sum(_key(h) not in told for h in ledger.read_ledger(workspace.public).events)


def is_due(workspace: WorkspaceFolder) -> bool:
    """Whether there is something for `deliver` to do. Raises ReleaseError."""
    announcing = workspace.announced.is_file() and _state(workspace).announcing
    if workspace.settings.secret(URL):
        return not announcing or waiting(workspace) > 0
    return not announcing and waiting(workspace) > 0


def deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    """Send what was not delivered yet, the oldest first; return how many were, and why others were not. Raises nothing of a webhook's
    or a disk's doing: the release stands. The caller holds the home.

    Who does not know the address sends nothing. What happens in a home where nobody ever knew one counts as told.
    """
    try:
        return _deliver(workspace)
    except (DeliveryError, ReleaseError, OSError, ValueError, KeyError) as error:
        _log.error("releases were not announced", extra={"reason": str(error)})
        return 0, [str(error)]


def _deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    prepare(workspace)
    url, known, state = workspace.settings.secret(URL), ledger.read_ledger(workspace.public), _state(workspace)
    if not url and state.announcing:
        return 0, []
    pack, deadline, count = str(atomic.read_json(workspace.root / "home.json", {}).get("pack", "")), time.monotonic() + PATIENCE, 0
    kept: list[str] = []
    for number, happening in enumerate(known.events, start=1):
        key = _key(happening)
        if url and key not in state.told:
            announced, within = event(pack, known, number), deadline - time.monotonic()
            if within <= 0:
                return count, ["there was no time for all announcements; the others are sent by the next run"]
            try:
                send(announced, url, workspace.settings.secret(KEY), workspace.settings.allowed_hosts(), _LIMITS, within)
            except DeliveryError as error:
                _log.error("a release was not announced", extra={"event": announced["id"], "reason": str(error)})
                return count, [str(error)]  # later ones must not come before it
            count += 1
            _log.info("a release was announced", extra={"event": announced["id"], "type": announced["type"]})
            _keep(workspace, replace(state, told=(*kept, key)))
        kept.append(key)
    if tuple(kept) != state.told:
        _keep(workspace, replace(state, told=tuple(kept)))
    return count, []


def event(pack: str, known: Ledger, number: int) -> dict[str, Any]:
    """Return the happening at a place of the journal, counted from 1, as a CloudEvent."""
    happening = known.events[number - 1]
    entry, base = known.find(happening.version), feed.address(known.pack, "") if known.pack else ""
    path = f"{RELEASES}/{happening.version}/"
    data = {
        "version": happening.version, "released": entry.released if entry else happening.at, "path": path,
        "url": escape_iri(base + path) if base else None, "previous": happening.before or None, "current": happening.current,
        "changes": entry.changes.to_json() if entry and entry.changes and happening.kind == PUBLISHED else None, "reason": happening.reason or None,
    }  # fmt: skip
    return {
        "specversion": "1.0", "id": f"{pack}/{happening.event_id(number)}", "source": base if base else f"urn:zpo2:{pack}",
        "type": TYPES[happening.kind], "subject": happening.version,
        **({"time": happening.at} if _TIME.fullmatch(happening.at) else {}),
        "datacontenttype": "application/json", "data": {name: value for name, value in data.items() if value is not None},
    }  # fmt: skip


def _key(happening: LedgerEvent) -> str:
    """Return what tells a happening from others, also from those of a ledger that was put back from a copy and went another way."""
    return f"{happening.kind} {happening.version} {happening.at}"


def _state(workspace: WorkspaceFolder) -> _State:
    found = atomic.read_json(workspace.announced, {})
    return _State(tuple(found.get("told", [])), bool(found.get("announcing")))


def _keep(workspace: WorkspaceFolder, state: _State) -> None:
    atomic.write_json(workspace.announced, asdict(state))

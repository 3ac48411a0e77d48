"""Announcements of releases: each publication, withdrawal and rollback as a CloudEvent to one webhook, at least once and in order.

`ZPO2_SECRET_RELEASE_URL` is the address, `ZPO2_SECRET_RELEASE_KEY` the key of the signature. The ledger's journal lists what is to be
announced; it is written after a release becomes current. Here we only store which of its entries were delivered. So a process may be
killed at any moment, and the next one sends the rest. An event has the same bytes each time it is sent, as long as its release is unchanged.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from exports.model.errors import ReleaseError
from exports.release import feed, ledger
from exports.release.entries import PUBLISHED, RELEASES, ROLLBACK, WITHDRAWN, LedgerEvent
from exports.release.ledger import Ledger
from pipelines.core import atomic
from pipelines.core.iri import escape_iri
from pipelines.core.state import StateError, StateFile
from pipelines.core.state import log as state_log
from pipelines.core.workspace import DESCRIPTION, WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.notify.webhook import DeliveryError, send

URL, KEY = "ZPO2_SECRET_RELEASE_URL", "ZPO2_SECRET_RELEASE_KEY"
TYPES = {
    PUBLISHED: "org.zpo2.release.published", WITHDRAWN: "org.zpo2.release.withdrawn", ROLLBACK: "org.zpo2.release.rolledback",
}  # fmt: skip
DELIVERY_DEADLINE = 15.0
"""Seconds for all announcements of one call, however many wait and whatever the webhook does."""
_LIMITS = Limits(connect_timeout=5, read_timeout=10, retries=0)  # the next run or tick tries again
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_log = logging.getLogger("zpo2.announcements")


class Announced(StateFile):
    """The content of `announced.json`: the keys of the delivered journal entries.

    `announcing` is true once any process of this workspace has known the address; a process without it then leaves the delivery to others.
    """

    CURE: ClassVar[str] = "restore it from a backup, or remove it: all releases so far then count as announced"
    model_config = ConfigDict(extra="ignore", validate_by_name=True, serialize_by_alias=True)

    delivered: list[str] = Field(default_factory=list, alias="told")
    announcing: bool = False

    @classmethod
    def of(cls, workspace: WorkspaceFolder) -> Announced:
        return cls.load(workspace.announced) or cls()


def prepare(workspace: WorkspaceFolder) -> None:
    """Count all existing releases as announced where nothing was ever announced. Call this before a run can publish anything."""
    try:
        if not workspace.announced.is_file():
            Announced(delivered=_keys(ledger.read_ledger(workspace.public).events)).save(workspace.announced)
        state = Announced.of(workspace)
        if workspace.settings.secret(URL) and not state.announcing:
            state.model_copy(update={"announcing": True}).save(workspace.announced)
    except (ReleaseError, StateError, OSError, ValueError) as error:  # the following steps meet the same error and report it
        _log.error("the existing releases could not be counted as announced", extra={"reason": str(error)})


def waiting(workspace: WorkspaceFolder) -> int:
    """Return how many announcements are not delivered yet. Raises ReleaseError, StateError."""
    if not workspace.announced.is_file():
        return 0
    delivered = Announced.of(workspace).delivered
    return sum(key not in delivered for key in _keys(ledger.read_ledger(workspace.public).events))


def is_due(workspace: WorkspaceFolder) -> bool:
    """Whether there is something for `deliver` to do. Raises ReleaseError, StateError."""
    announcing = workspace.announced.is_file() and Announced.of(workspace).announcing
    if workspace.settings.secret(URL):
        return not announcing or waiting(workspace) > 0
    return not announcing and waiting(workspace) > 0


def deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    """Send the announcements that are not delivered yet, the oldest first; return how many were sent, and why the others were not.

    Raises nothing that a webhook or a disk causes: the release stands. The caller holds the lock of the workspace.
    A process that does not know the address sends nothing. In a workspace where no process ever knew one, everything counts as announced.
    """
    try:
        return _deliver(workspace)
    except (DeliveryError, ReleaseError, StateError, OSError, ValueError, KeyError) as error:
        _log.error("releases were not announced", extra={"reason": str(error)})
        if isinstance(error, StateError):
            state_log.warning(str(error))
        return 0, [str(error)]


def _deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    prepare(workspace)
    url, releases, state = workspace.settings.secret(URL), ledger.read_ledger(workspace.public), Announced.of(workspace)
    if not url and state.announcing:
        return 0, []
    pack = str(atomic.read_json(workspace.root / DESCRIPTION, {}).get("pack", ""))
    deadline, count = time.monotonic() + DELIVERY_DEADLINE, 0
    delivered: list[str] = []
    for number, key in enumerate(_keys(releases.events), start=1):
        if url and key not in state.delivered:
            event, seconds_left = release_event(pack, releases, number), deadline - time.monotonic()
            if seconds_left <= 0:
                return count, ["there was no time for all announcements; the next run sends the others"]
            try:
                send(event, url, workspace.settings.secret(KEY), workspace.settings.allowed_hosts(), _LIMITS, seconds_left)
            except DeliveryError as error:
                _log.error("a release was not announced", extra={"event": event["id"], "reason": str(error)})
                return count, [str(error)]  # later ones must not overtake it
            count += 1
            _log.info("a release was announced", extra={"event": event["id"], "type": event["type"]})
            state.model_copy(update={"delivered": [*delivered, key]}).save(workspace.announced)
        delivered.append(key)
    if delivered != state.delivered:
        state.model_copy(update={"delivered": delivered}).save(workspace.announced)
    return count, []


def release_event(pack: str, releases: Ledger, number: int) -> dict[str, Any]:
    """Return the journal entry at a position, counted from 1, as a CloudEvent."""
    ledger_event = releases.events[number - 1]
    release, base = releases.find(ledger_event.version), feed.address(releases.pack, "") if releases.pack else ""
    path = f"{RELEASES}/{ledger_event.version}/"
    data = {
        "version": ledger_event.version, "released": release.released if release else ledger_event.at, "path": path,
        "url": escape_iri(base + path) if base else None, "previous": ledger_event.before or None, "current": ledger_event.current,
        "changes": release.changes.to_json() if release and release.changes and ledger_event.kind == PUBLISHED else None,
        "reason": ledger_event.reason or None,
    }  # fmt: skip
    return {
        "specversion": "1.0", "id": f"{pack}/{ledger_event.event_id(number)}", "source": base if base else f"urn:zpo2:{pack}",
        "type": TYPES[ledger_event.kind], "subject": ledger_event.version,
        **({"time": ledger_event.at} if _TIME.fullmatch(ledger_event.at) else {}),
        "datacontenttype": "application/json", "data": {name: value for name, value in data.items() if value is not None},
    }  # fmt: skip


def _keys(entries: Iterable[LedgerEvent]) -> list[str]:
    """Return a key for each journal entry. The keys differ even where a ledger was restored from a copy and then took another course.

    Of entries of one kind, version and second, the second and later ones have their number in the key.
    """
    counts: Counter[str] = Counter()
    keys = []
    for entry in entries:
        key = f"{entry.kind} {entry.version} {entry.at}"
        counts[key] += 1
        keys.append(key if counts[key] == 1 else f"{key} {counts[key]}")
    return keys

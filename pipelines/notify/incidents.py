"""What has happened that the operator must know, as alerts in words. Decides what is worth an alert; sends nothing.

The state of the workspace is compared with what was alerted before (`alerts/known.json`), so this may be repeated at any time: `zpo2 run`
does it when it ends, and the daemon every half minute.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from exports.model.errors import ReleaseError
from exports.release import ledger
from pipelines.core.errors import ExitCode
from pipelines.core.fingerprint import digest
from pipelines.core.printable import printable, shortened
from pipelines.core.state import StateFile
from pipelines.extract import inbox
from pipelines.extract.source_state import SourceState, SourceStates
from pipelines.notify import alerts
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import SourceCounts
from pipelines.runs.outcome import RunOutcome, release_rows

RUN_FAILED, RUN_RECOVERED = "zpo2.run.failed", "zpo2.run.recovered"
SOURCE_STALE, SOURCE_FRESH = "zpo2.source.stale", "zpo2.source.fresh"
REFUSED_MORE, REFUSED_LESS = "zpo2.source.refused_more", "zpo2.source.refused_less"
FILE_REFUSED = "zpo2.file.refused"
JUMP_ROWS, JUMP_FACTOR, JUMP_SHARE = 5, 2.0, 0.01
"""So many more refused rows and cells, so many times as many, and such a share of the rows are worth an alert."""
_REASONS = 20  # of a failed run, in one alert
_LENGTH = 1000  # characters of one reason


class Known(StateFile):
    """The state of the workspace at the last comparison, and what was alerted.

    `stale` has times by source, `counts` accepted rows and refused rows and cells by source at the last release, `high` the refused ones
    before a jump that was alerted, `files` the refused files. `failure` is a digest of the reasons of the last run where it failed, `outcome`
    one of the last outcome.
    """

    CURE: ClassVar[str] = "what is wrong now is alerted once more"
    stale: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, tuple[int, int]] = Field(default_factory=dict)
    high: dict[str, int] = Field(default_factory=dict)
    files: list[str] = Field(default_factory=list)
    failure: str = ""
    failed_at: str = ""
    outcome: str = ""


def enqueue(workspace: Workspace) -> list[str]:
    """Queue an alert for everything that is new, and return the subjects of the alerts. Raises StateError."""
    path = workspace.alerts / alerts.KNOWN
    before = Known.load_if_whole(path) or Known(stale=alerts.stale_of_earlier_versions(workspace))
    now = before.model_copy(deep=True)
    subjects = [*_staleness(workspace, before, now), *_refused_files(workspace, before, now), *_outcome(workspace, before, now)]
    if now != before or not path.is_file():
        now.save(path)
    return subjects


def enqueue_failure(workspace: Workspace, reasons: Iterable[str], identity: str, sources: str = "") -> bool:
    """Queue an alert for a run that failed without an outcome; return whether it is new."""
    shown = [_shortened(reason) for reason in reasons][:_REASONS] or ["no reason was recorded"]
    data = {
        "text": f"A run of the pack {workspace.pack.id} failed: {'; '.join(shown)}. {_standing(workspace)}",
        "reasons": shown, "reason": shown[0], "sources": sources, "run": identity, "command": _command(workspace, "status"),
    }  # fmt: skip
    return alerts.enqueue(workspace, workspace.pack.id, RUN_FAILED, identity, data, identity)


# ---------------------------------------------------------------------------------------------------------------- staleness


def _staleness(workspace: Workspace, before: Known, now: Known) -> Iterable[str]:
    """Alert each source that became stale, or fresh again."""
    states = SourceStates(workspace.fetch_state)
    now.stale = {}
    for source in workspace.pack.sources.values():
        stale = {n: s for n, s in states.parts(source.id).items() if s.stale_since} if source.enabled else {}
        title = workspace.pack.text(source.title)
        if stale:
            now.stale[source.id] = since = min(s.stale_since or "" for s in stale.values())
            data = _stale_data(workspace, source.id, title, since, stale)
            if source.id not in before.stale and _queue(workspace, SOURCE_STALE, source.id, data, since):
                yield source.id
        elif source.id in before.stale:
            since = before.stale[source.id]
            text = f"The source {source.id} ({title}) is fresh again. It was stale since {since}."
            data = {"source": source.id, "title": title, "text": text, "stale_since": since, "command": _command(workspace, "status")}
            if _queue(workspace, SOURCE_FRESH, source.id, data, since):
                yield source.id


def _stale_data(workspace: Workspace, source: str, title: str, since: str, stale: dict[str, SourceState]) -> dict[str, Any]:
    reasons = sorted({_shortened(fault) for state in stale.values() for fault in state.faults})
    last_good = max(state.changed_at for state in stale.values())
    rows = RunOutcome.last(workspace).sources.get(source, SourceCounts()).rows_accepted
    stands = f"Its last good content is from {last_good} ({rows} rows) and stays in use." if last_good else "It never had good content."
    parts = sorted(name for name in stale if name)
    text = f"The source {source} ({title}) is stale since {since}: {'; '.join(reasons) or 'no reason was recorded'}. {stands}"
    if parts:
        text += f" Parts concerned: {', '.join(parts[:10])}{f' and {len(parts) - 10} more' if len(parts) > 10 else ''}."
    is_refused = any(state.refused for state in stale.values())  # then an operator may accept the content
    following = _command(workspace, "accept", source, "--reason", "TEXT") if is_refused else _command(workspace, "run", "--only", source)
    return {
        "source": source, "title": title, "text": text, "stale_since": since, "reasons": reasons, "last_good": last_good, "parts": parts,
        "rows": rows, "command": _command(workspace, "status"), "next": following,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ refused files


def _refused_files(workspace: Workspace, before: Known, now: Known) -> Iterable[str]:
    """Alert each file that the inbox refused."""
    now.files = []
    states = SourceStates(workspace.fetch_state)
    for file in inbox.refused_files(workspace):
        now.files.append(file.identity)
        if file.identity in before.files:
            continue
        reason = file.reason.removesuffix(".")
        has_good = any(state.good for state in states.parts(file.source).values())
        stands = "The last good content stays in use." if has_good else "The source has no good content yet."
        text = f"The file {file.name}, dropped for the source {file.source}, was refused: {reason}. {stands}"
        command = f"cat {shlex.quote(str(workspace.inbox / inbox.REFUSED / file.source / file.name))}.reason.txt"
        data = {"source": file.source, "file": file.name, "text": text, "reasons": [file.reason], "command": command}
        if _queue(workspace, FILE_REFUSED, f"{file.source}/{file.name}", data, file.identity):
            yield file.source


# ----------------------------------------------------------------------------------------------------------- the last outcome


def _outcome(workspace: Workspace, before: Known, now: Known) -> Iterable[str]:
    """Alert a failed run, the first good one after it, and jumps of refused rows."""
    last = RunOutcome.last(workspace)
    now.outcome = digest(last.model_dump(mode="json"))
    if not last.ended_at or now.outcome == before.outcome:
        return
    counts = {name: (c.rows_accepted, c.rows_quarantined + c.cells_quarantined) for name, c in last.sources.items()}
    if last.exit_code == ExitCode.FAILED:
        now.failure, now.failed_at = digest(sorted(last.reasons)), before.failed_at or last.ended_at
        data = _failed_data(workspace, last, before.counts, counts)
        if now.failure != before.failure and _queue(workspace, RUN_FAILED, workspace.pack.id, data, f"{now.failed_at} {now.failure}"):
            yield workspace.pack.id
        return
    if before.failure:
        version = last.release.version if last.release else ""
        text = f"The pack {workspace.pack.id} runs again: release {version} is current. Its runs had failed since {before.failed_at}."
        data = {"text": text, "failed_since": before.failed_at, "release": version, "command": _command(workspace, "status")}
        if _queue(workspace, RUN_RECOVERED, workspace.pack.id, data, before.failed_at):
            yield workspace.pack.id
        now.failure = now.failed_at = ""
    yield from _jumps(workspace, last, before, now, counts)
    now.counts = counts


def _failed_data(
    workspace: Workspace, last: RunOutcome, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    reasons = [_shortened(reason) for reason in last.reasons][:_REASONS] or ["no reason was recorded"]
    rows = release_rows(workspace.public)
    checks = []
    for check in last.gate.get("failed", []):
        table = check["name"].partition(":")[2] if check["name"].startswith("table:") else ""
        checks.append(
            {"check": check["name"], "reason": _shortened(check["description"]), **({"rows_before": rows[table]} if table in rows else {})}
        )
    changes = {
        name: {"accepted_before": old[0], "accepted_after": new[0], "refused_before": old[1], "refused_after": new[1]}
        for name, new in sorted(after.items())
        if (old := before.get(name, (0, 0))) != new
    }
    named = {name.split(" ")[0] for name in last.errors} | {
        c["check"].partition(":")[2] for c in checks if not c["check"].startswith("table:")
    }
    sources = sorted(named & set(workspace.pack.sources))
    text = f"A run of the pack {workspace.pack.id} failed: {'; '.join(reasons)}. {_standing(workspace)}"
    if changes:
        text += " Rows of sources since the last release: " + "; ".join(
            f"{name} {c['accepted_before']} -> {c['accepted_after']} accepted, {c['refused_before']} -> {c['refused_after']} refused"
            for name, c in list(changes.items())[:_REASONS]
        ) + "."  # fmt: skip
    return {
        "text": text, "reasons": reasons, "reason": reasons[0], "checks": checks, "sources": sources, "changes": changes,
        "errors": {name: _shortened(text) for name, text in last.errors.items()}, "command": _command(workspace, "status"),
    }  # fmt: skip


def _jumps(workspace: Workspace, last: RunOutcome, before: Known, now: Known, counts: dict[str, tuple[int, int]]) -> Iterable[str]:
    """Alert sources of which many more rows and cells are refused than before, and those that are back to the earlier number."""
    now.high = {}
    for name, (accepted, refused) in counts.items():
        old_accepted, old = before.counts.get(name, (0, 0))
        words = {
            "source": name, "accepted_before": old_accepted, "accepted_after": accepted, "refused_before": old, "refused_after": refused,
            "command": _command(workspace, "quarantine", name, "--group-by", "reason"),
        }  # fmt: skip
        if refused - old >= JUMP_ROWS and refused >= JUMP_FACTOR * old and refused >= JUMP_SHARE * last.sources[name].rows_read:
            text = f"The source {name} has {refused} refused rows and cells, {old} before; {accepted} rows are accepted, {old_accepted} before."
            now.high[name] = before.high.get(name, old)
            if _queue(workspace, REFUSED_MORE, name, {"text": text, **words}, last.ended_at):
                yield name
        elif name in before.high and refused <= before.high[name]:
            text = f"The source {name} has {refused} refused rows and cells again, after {old}; {accepted} rows are accepted."
            if _queue(workspace, REFUSED_LESS, name, {"text": text, **words}, last.ended_at):
                yield name
        elif name in before.high:
            now.high[name] = before.high[name]


# -------------------------------------------------------------------------------------------------------------------- words


def _queue(workspace: Workspace, kind: str, subject: str, data: dict[str, Any], identity: str) -> bool:
    return alerts.enqueue(workspace, workspace.pack.id, kind, subject, data, identity)


def _standing(workspace: Workspace) -> str:
    """Return which release stands."""
    try:
        latest = ledger.read_latest(workspace.public)
    except ReleaseError as error:
        return str(error)
    return f"The release {latest.version} stays current." if latest else "Nothing has been published yet."


def _shortened(text: str) -> str:
    return shortened(printable(" ".join(text.split())), _LENGTH)


def _command(workspace: Workspace, *arguments: str) -> str:
    """Return the command that shows more, as it can be pasted into a shell."""
    return shlex.join(["zpo2", *arguments, "--pack", str(workspace.pack.root), "--home", str(workspace.root)])

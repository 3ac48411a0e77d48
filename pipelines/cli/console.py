"""What a run shows: a progress display on a terminal, plain lines in a pipe, and the summary. Decides nothing."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from pipelines import bundled
from pipelines.cli.options import HOST, PORT
from pipelines.cli.terminal import drawing
from pipelines.core.errors import ExitCode
from pipelines.core.printable import listed, printable
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import Progress

MOST_NAMED = 20
"""The most indicators that a line of the summary names."""
_STEPS = {
    "fetch": "fetching",
    "read": "reading",
    "source": "sources",
    "start": "starting",
    "model": "warehouse",
    "gate": "gate",
    "release": "release",
}


class Display:
    """Shows progress on stderr. On a terminal each step has a bar; in a pipe each finished source is one line."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live: Any = None
        self.bars: dict[str, Any] = {}

    def __enter__(self) -> Display:
        if sys.stderr.isatty() and not self.quiet:
            from rich import progress as bars
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

            self.live = bars.Progress(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                console=Console(file=drawing()), transient=True,
            )  # fmt: skip
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    def show(self, event: Progress) -> None:
        if self.quiet:
            return
        title = _STEPS.get(event.step, event.step)
        if self.live is not None:
            self._bar(event, title)
            if event.step in ("lock", "source") and event.text:
                self.live.console.print(printable(f"{event.name}: {event.text}"), highlight=False, markup=False)
        elif event.step in ("lock", "source", "gate", "start") or (event.step == "fetch" and event.text):
            print(f"{title} {event.name}: {event.text}", file=sys.stderr, flush=True)

    def _bar(self, event: Progress, title: str) -> None:
        """Advance the bar of a step. A step without a known end only shows activity."""
        step = "source" if event.step == "read" else event.step
        if step not in self.bars:
            for bar in self.bars.values():
                self.live.update(bar, visible=False)
            self.bars[step] = self.live.add_task(title, total=None)
        text = event.text if event.name in (step, title) else event.name
        self.live.update(self.bars[step], description=printable(f"{title} {text}".strip()))
        if event.total is not None:
            self.live.update(self.bars[step], completed=event.done or 0, total=event.total)


def summary(workspace: Workspace, outcome: dict[str, Any]) -> None:
    """Print the outcome of a run. With stale sources, the last line names them."""
    totals = dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined", "rows_ignored", "cells_quarantined"), 0)
    fetched = [c for name, c in outcome["sources"].items() if name in workspace.pack.sources]
    for counts in fetched:
        for key in totals:
            totals[key] += counts[key]
    print(
        f"rows        {totals['rows_read']} read = {totals['rows_accepted']} accepted + {totals['rows_quarantined']} quarantined "
        f"+ {totals['rows_ignored']} ignored; {totals['cells_quarantined']} single cells quarantined"
    )
    print(f"indicators  {len(workspace.pack.indicators)} declared, {len(workspace.pack.indices)} indices")
    _values(outcome["values"])
    gate = outcome.get("gate") or {}
    if gate:
        print(f"checks      {gate['checks_passed']} passed, {len(gate['failed'])} failed, {len(gate['warnings'])} warnings")
        for warning in gate["warnings"]:
            print(f"  warning   {warning['name']}: {warning['description']}")
        for name, why in gate["accepted"].items():
            print(f"  accepted  {name}: {why}")
    for name, text in outcome["errors"].items():
        print(printable(f"source      {name}: {text}"))
    for text in outcome["repaired"]:
        print(printable(f"repaired    {text}"))
    release = outcome.get("release") or {}
    for reason in [] if release else outcome["reasons"]:
        print(printable(f"failed      {reason}"))
    if release:
        state = "unchanged" if outcome["unchanged"] or not release["changed"] else "new"
        print(f"release     {release['version']} ({state}): {release['path']}")
        for reason in release.get("over_budget", []):
            print(printable(f"  warning   size: {reason}"))
        if release.get("set_aside"):
            print(f"taken back  {release['set_aside']}; not published again")
        if state == "new" and Path(release["path"]).is_relative_to(workspace.public):
            print(f"look at it  {_serve_command(workspace)}, then http://{HOST}:{PORT}/")
    else:
        print("release     none was made" + ("; the last one stands" if (workspace.public / "latest.json").is_file() else ""))
    if outcome["stale"]:
        print("stale       " + ", ".join(f"{name} (since {since})" for name, since in sorted(outcome["stale"].items())))


def _serve_command(workspace: Workspace) -> str:
    """Return the command that serves the releases of a workspace, as it is typed in the current folder."""
    words = ["zpo2", "serve"]
    if not bundled.is_bundled(workspace.pack.root):
        words += ["--pack", _from_here(workspace.pack.root)]
    if workspace.root != Path.cwd() / "data" / workspace.pack.id:
        words += ["--home", _from_here(workspace.root)]
    return printable(shlex.join(words))


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _values(counts: list[dict[str, Any]]) -> None:
    """Print how many values the indicators have, which have more or fewer than in the last release, and which have none."""
    if not counts:  # the run did not reach the gate
        return
    print(f"values      {sum(c['now'] for c in counts)} of {sum(c['now'] > 0 for c in counts)} indicators")
    lines = {
        "new": [f"{c['indicator']} +{c['now'] - c['before']}" for c in counts if c["now"] > c["before"]],
        "lost": [f"{c['indicator']} -{c['before'] - c['now']}" for c in counts if c["now"] < c["before"]],
        "none": [c["indicator"] for c in counts if c["is_collected"] and not c["now"]],
    }
    for title, names in lines.items():
        if names:
            print(f"  {title:<9} {listed(names, MOST_NAMED)}")


def status(report: dict[str, Any]) -> None:
    """Print the state of a workspace."""
    print(f"pack {report['pack']}, home {report['home']}")
    for source in report["sources"]:
        line = f"  {source['source']}: fetched {source['last_fetch'] or 'never'}, changed {source['last_change'] or 'never'}, "
        line += f"{source['rows_accepted']} rows, {source['rows_quarantined']} quarantined"
        print(
            line + (f", stale since {source['stale_since']}" if source["stale_since"] else "") + ("" if source["enabled"] else ", disabled")
        )
        for reason in source["errors"] if source["enabled"] else []:
            print(printable(f"    reason: {reason}"))
        for warning in source["warnings"]:
            print(printable(f"    warning: {warning}"))
    for file in report["refused_files"]:
        print(printable(f"  refused file {file['source']}/{file['name']}: {file['reason']}"))
    events, files, alerts = report["waiting"]["events"], report["waiting"]["files"], report["waiting"]["alerts"]
    announcements = report["waiting"]["announcements"]
    if events["accepted"] or files or alerts or announcements:
        what = f"{events['waiting']} of {events['accepted']} pushed events, {len(files)} dropped files, {alerts} alerts"
        print(f"  waiting: {what}" + (f", {announcements} announcements" if announcements else ""))
    for type_, count in events["unclaimed"].items():
        print(f"  {count} pushed events of type {type_} wait for a source: enable or declare one that takes this type")
    for release in report["releases"]:
        words = ["current"] * release["current"] + [word for word in ("withdrawn", "pinned", "pruned") if release.get(word)]
        print(f"  release {release['version']} of {release['released']}" + (f" ({', '.join(words)})" if words else ""))
    if not report["releases"]:
        print("  no release yet")
    for run in report["runs"][:1]:
        seconds = ", ".join(f"{step} {spent:.1f} s" for step, spent in run["seconds"].items())
        print(f"  last run: {run['ended_at']}, {run['rows']['read']} rows, {run['bytes']} bytes" + (f"; {seconds}" if seconds else ""))
        if run.get("slowest_models"):
            print("    slowest models: " + ", ".join(f"{m['model']} {m['seconds']:.2f} s" for m in run["slowest_models"]))
    gate = report["gate"]
    if gate:
        print(
            f"  last gate: {'passed' if gate['passed'] else 'failed'}, {gate['checks_passed']} checks passed, {len(gate['failed'])} failed"
        )
    last = report["last_run"]
    for reason in last["reasons"] if last and last["exit_code"] == ExitCode.FAILED else []:
        print(printable(f"    failed: {reason}"))

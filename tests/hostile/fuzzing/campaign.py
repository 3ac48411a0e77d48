"""A run of the fuzzing: the targets take turns, cases with a new outcome become seeds, and each kind of fault is kept once, made small."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.hostile.fuzzing import corpus
from tests.hostile.fuzzing.case import Case, Outcome, Target, kind_of

TURN = 10.0
"""Seconds for which a target is tried before the next one."""
MOST_NOTED = 5
"""Cases with one note that are kept."""
MOST_ATTEMPTS = 150
"""Attempts to make a fault small."""
MOST_SECONDS = 20.0
"""Seconds for these attempts."""
SLOW = 20.0
"""Seconds after which a case is noted and kept; on a busy machine that is no fault."""
CURRENT = "current"
"""Folder of the case that is being tried: what is there afterwards ended this process."""


@dataclass(frozen=True)
class Finding:
    """A fault, how often it came, and where its bytes are."""

    target: str
    fault: str
    path: Path


@dataclass
class Report:
    """What a run tried and found."""

    cases: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        for name, count in sorted(self.cases.items()):
            yield f"{name}: {count} cases, {len(self.kinds[name])} kinds of outcomes, the slowest took {self.slowest[name]:.1f} s"
        for note, count in sorted(self.notes.items()):
            yield f"note: {note}: {count} times"
        for finding in self.findings:
            yield f"FOUND {finding.target}: {finding.fault} ({self.repeated[_key(finding.target, finding.fault)]} times; {finding.path})"


def _key(target: str, fault: str) -> str:
    return f"{target} {kind_of(fault)}"


def run(targets: dict[str, Callable[[], Target]], seconds: float, seed: int, keep: Path, *, new_kinds: bool = False) -> Report:
    """Try changed cases on all targets in turn for so many seconds. Faults are kept in `keep`, with `new_kinds` also cases with a new outcome."""
    report = Report()
    with ExitStack() as stack:
        turns: dict[str, _Turns] = {}
        for name, made in targets.items():
            target = made()
            stack.callback(target.close)
            turns[name] = _Turns(target, seed, keep, report, new_kinds)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for turn in turns.values():
                turn.take(min(ends, time.monotonic() + min(TURN, seconds / len(turns))))
    return report


class _Turns:
    """The cases of one target, of which the n-th is the same for the same seed and the same outcomes before it."""

    def __init__(self, target: Target, seed: int, keep: Path, report: Report, new_kinds: bool) -> None:
        self._target, self._seed, self._keep, self._report, self._new_kinds = target, seed, keep, report, new_kinds
        self._pool = target.seeds()
        report.kinds[target.name] = set()
        report.slowest[target.name] = 0.0

    def take(self, ends: float) -> None:
        """Try cases until the clock shows `ends`, at least one."""
        name, is_first = self._target.name, True
        while is_first or time.monotonic() < ends:
            is_first = False
            number = self._report.cases[name]
            chance = random.Random(f"{self._seed} {name} {number}")
            case = self._target.changed(chance, self._pool)
            self._report.cases[name] += 1
            self._attempt(case, number)

    def _attempt(self, case: Case, number: int) -> None:
        name, report = self._target.name, self._report
        corpus.write(CURRENT, replace(case, name=name), self._keep)
        began = time.monotonic()
        outcome = self._target.attempt(case)
        took = time.monotonic() - began
        report.slowest[name] = max(report.slowest[name], took)
        if took > SLOW:
            outcome = replace(outcome, note=f"{outcome.note or ''} (took more than {SLOW:.0f} seconds)".strip())
        if outcome.note is not None:
            report.notes[f"{name}: {outcome.note}"] += 1
            if report.notes[f"{name}: {outcome.note}"] <= MOST_NOTED:
                corpus.write(f"notes/{name}", replace(case, name=f"{self._seed}-{number}-{case.name}"), self._keep)
        is_new = outcome.signature not in report.kinds[name]
        report.kinds[name].add(outcome.signature)
        if outcome.fault is not None:
            self._found(case, outcome, number)
        elif is_new:
            self._pool.append(case)
            if self._new_kinds:
                corpus.write(f"kinds/{name}", replace(case, name=f"{self._seed}-{number}-{case.name}"), self._keep)

    def _found(self, case: Case, outcome: Outcome, number: int) -> None:
        assert outcome.fault is not None
        name, key = self._target.name, _key(self._target.name, outcome.fault)
        self._report.repeated[key] += 1
        if self._report.repeated[key] > 1:
            return
        original = replace(case, name=f"{self._seed}-{number}-{case.name}")
        corpus.write(f"found/{name}", original, self._keep)
        small = smaller(self._target, original, outcome)
        path = corpus.write(f"found/{name}", replace(small, name=f"{original.name}.small"), self._keep)
        text = {"target": name, "seed": self._seed, "number": number, "signature": outcome.signature, "fault": outcome.fault}
        path.with_name(f"{original.name}.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
        self._report.findings.append(Finding(name, outcome.fault, path))
        print(f"FOUND {name}: {outcome.fault[:300]} ({path})", flush=True)


def smaller(target: Target, case: Case, outcome: Outcome) -> Case:
    """Return a case with less bytes and a fault of the same kind, by leaving out one piece after the other."""
    assert outcome.fault is not None
    kind, ends, attempts = kind_of(outcome.fault), time.monotonic() + MOST_SECONDS, 0
    length = len(case.content) // 2
    while length:
        at = 0
        while at < len(case.content):
            if attempts == MOST_ATTEMPTS or time.monotonic() > ends:
                return case
            attempts += 1
            shorter = replace(case, content=case.content[:at] + case.content[at + length :])
            fault = target.attempt(shorter).fault
            if fault is not None and kind_of(fault) == kind:
                case = shorter
            else:
                at += length
        length //= 2
    return case


def replay(target: Target, cases: Sequence[Case]) -> list[str]:
    """Try cases as they are, and return a line for each fault."""
    return [f"{case.name}: {fault}" for case in cases if (fault := target.attempt(case).fault) is not None]

"""The gate: a release may appear only if every expected check ran and passed. Judges results; runs no check itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CheckResult:
    """What one check found. A failed check of severity `warn` is told, and does not close the gate."""

    name: str
    passed: bool
    severity: str = "error"
    description: str = ""


@dataclass(frozen=True)
class Verdict:
    """The gate's judgement, with the reason for each check that closed it or was let through."""

    failed: tuple[CheckResult, ...]
    missing: tuple[str, ...]
    warnings: tuple[CheckResult, ...]
    accepted: Mapping[str, str]
    passed_checks: int

    @property
    def passed(self) -> bool:
        return not self.failed and not self.missing

    def reasons(self) -> list[str]:
        return [f"{r.name}: {r.description}" for r in self.failed] + [f"{name}: was expected and did not run" for name in self.missing]

    def report(self) -> dict[str, Any]:
        """Return the verdict as it becomes part of the release."""
        return {
            "passed": self.passed,
            "checks_passed": self.passed_checks,
            "failed": [asdict(r) for r in self.failed],
            "missing": list(self.missing),
            "warnings": [asdict(r) for r in self.warnings],
            "accepted": dict(self.accepted),
        }


def judge(expected: Collection[str], results: Sequence[CheckResult], accepted: Mapping[str, str]) -> Verdict:
    """Judge `results` against the names that the declarations make us expect.

    `accepted` maps the name of a failed check to the operator's reason for letting it through.
    """
    bad = sorted((r for r in results if not r.passed), key=lambda r: r.name)
    failed = [r for r in bad if r.severity == "error"]
    ran = {r.name for r in results}
    let_through = {r.name: accepted[r.name] for r in failed if r.name in accepted}
    return Verdict(
        failed=tuple(r for r in failed if r.name not in accepted),
        missing=tuple(sorted(set(expected) - ran)),
        warnings=tuple(r for r in bad if r.severity != "error"),
        accepted=let_through,
        passed_checks=sum(r.passed for r in results),
    )

"""The gate: a release is published only if every expected check ran and passed. It evaluates results and runs no check itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CheckResult:
    """The result of one check. A failed check of severity `warn` is reported and does not close the gate."""

    name: str
    passed: bool
    severity: str = "error"
    description: str = ""


@dataclass(frozen=True)
class GateResult:
    """Whether a release may be published, and why not.

    failed: checks that closed the gate
    missing: names of expected checks that did not run
    warnings: failed checks that do not close the gate
    accepted: names of failed checks that the operator let through, with the reason
    """

    failed: tuple[CheckResult, ...]
    missing: tuple[str, ...]
    warnings: tuple[CheckResult, ...]
    accepted: Mapping[str, str]
    passed_checks: int

    @property
    def passed(self) -> bool:
        """Whether the release may be published."""
        return not self.failed and not self.missing

    def reasons(self) -> list[str]:
        """Return one line for each check that closed the gate."""
        return [f"{r.name}: {r.description}" for r in self.failed] + [f"{name}: was expected and did not run" for name in self.missing]

    def report(self) -> dict[str, Any]:
        """Return the result in the form in which a release publishes it (`quality/report.json`)."""
        return {
            "passed": self.passed,
            "checks_passed": self.passed_checks,
            "failed": [asdict(r) for r in self.failed],
            "missing": list(self.missing),
            "warnings": [asdict(r) for r in self.warnings],
            "accepted": dict(self.accepted),
        }


def evaluate_gate(expected: Collection[str], results: Sequence[CheckResult], accepted: Mapping[str, str]) -> GateResult:
    """Compare `results` with the names of the expected checks.

    `accepted` maps the name of a failed check to the operator's reason for letting it through.
    """
    failures = sorted((r for r in results if not r.passed), key=lambda r: r.name)
    errors = [r for r in failures if r.severity == "error"]
    return GateResult(
        failed=tuple(r for r in errors if r.name not in accepted),
        missing=tuple(sorted(set(expected) - {r.name for r in results})),
        warnings=tuple(r for r in failures if r.severity != "error"),
        accepted={r.name: accepted[r.name] for r in errors if r.name in accepted},
        passed_checks=sum(r.passed for r in results),
    )

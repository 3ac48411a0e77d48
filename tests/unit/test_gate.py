"""The gate passes only if every expected check ran and passed."""

from __future__ import annotations

from quality.gate import CheckResult, judge


def test_all_expected_and_passed() -> None:
    verdict = judge({"a", "b"}, [CheckResult("a", True), CheckResult("b", True)], {})
    assert verdict.passed
    assert verdict.passed_checks == 2


def test_a_check_that_did_not_run_closes_the_gate() -> None:
    verdict = judge({"a", "b"}, [CheckResult("a", True)], {})
    assert not verdict.passed
    assert verdict.reasons() == ["b: was expected and did not run"]


def test_a_failed_check_closes_the_gate_unless_accepted_with_a_reason() -> None:
    results = [CheckResult("a", False, description="three rows")]
    assert judge({"a"}, results, {}).reasons() == ["a: three rows"]
    accepted = judge({"a"}, results, {"a": "the office confirmed it"})
    assert accepted.passed
    assert accepted.report()["accepted"] == {"a": "the office confirmed it"}


def test_a_warning_is_told_and_does_not_close_the_gate() -> None:
    verdict = judge({"a"}, [CheckResult("a", False, "warn", "low")], {})
    assert verdict.passed
    assert [w.name for w in verdict.warnings] == ["a"]


def test_accepting_a_check_that_passed_lets_nothing_else_through() -> None:
    assert not judge({"a", "b"}, [CheckResult("a", True), CheckResult("b", False)], {"a": "why"}).passed

"""The gate passes only if every expected check ran and passed."""

from __future__ import annotations

from quality.gate import CheckResult, evaluate_gate


class TestEvaluateGate:
    def test_passes_when_all_expected_checks_passed(self) -> None:
        result = evaluate_gate({"a", "b"}, [CheckResult("a", True), CheckResult("b", True)], {})
        assert result.passed
        assert result.passed_checks == 2

    def test_fails_when_an_expected_check_did_not_run(self) -> None:
        result = evaluate_gate({"a", "b"}, [CheckResult("a", True)], {})
        assert not result.passed
        assert result.reasons() == ["b: was expected and did not run"]

    def test_fails_on_a_failed_check_unless_accepted(self) -> None:
        results = [CheckResult("a", False, description="three rows")]
        assert evaluate_gate({"a"}, results, {}).reasons() == ["a: three rows"]
        accepted = evaluate_gate({"a"}, results, {"a": "the office confirmed it"})
        assert accepted.passed
        assert accepted.report()["accepted"] == {"a": "the office confirmed it"}

    def test_reports_warnings_and_passes(self) -> None:
        result = evaluate_gate({"a"}, [CheckResult("a", False, "warn", "low")], {})
        assert result.passed
        assert [w.name for w in result.warnings] == ["a"]

    def test_accepting_one_check_does_not_accept_another(self) -> None:
        assert not evaluate_gate({"a", "b"}, [CheckResult("a", True), CheckResult("b", False)], {"a": "why"}).passed

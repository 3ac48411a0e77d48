"""The codes in `pipelines.core.vocabulary` and the variables of the dbt project are the same."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.core import vocabulary
from tests.support.one_model import asked, expanded, variables


@pytest.fixture(scope="module")
def dbt_vars() -> dict[str, Any]:
    return variables()


class TestDbtVariables:
    def test_statuses(self, dbt_vars: dict[str, Any]) -> None:
        assert dbt_vars["obs_statuses"] == list(vocabulary.STATUSES)

    def test_statuses_with_a_value(self, dbt_vars: dict[str, Any]) -> None:
        assert dbt_vars["value_statuses"] == [s.code for s in vocabulary.STATUSES.values() if s.has_value]

    def test_statuses_of_sources_have_ranks(self, dbt_vars: dict[str, Any]) -> None:
        assert dbt_vars["source_statuses"] == [code for code in vocabulary.STATUSES if code in vocabulary.STATUS_RANK and code not in "LS"]

    def test_ranks(self, dbt_vars: dict[str, Any]) -> None:
        assert list(dbt_vars["status_ranks"].items()) == list(vocabulary.STATUS_RANK.items())

    def test_first_missing_rank(self, dbt_vars: dict[str, Any]) -> None:
        assert dbt_vars["first_missing_rank"] == vocabulary.FIRST_MISSING_RANK
        missing = {code for code, rank in dbt_vars["status_ranks"].items() if rank >= dbt_vars["first_missing_rank"]}
        assert missing.isdisjoint(dbt_vars["value_statuses"])

    def test_sexes(self, dbt_vars: dict[str, Any]) -> None:
        assert set(dbt_vars["sexes"]) == set(vocabulary.SEXES)
        assert dbt_vars["published_sexes"] == list(vocabulary.PUBLISHED_SEXES)


class TestStatusMacros:
    @pytest.mark.parametrize(("code", "rank"), vocabulary.STATUS_RANK.items())
    def test_rank_and_back(self, code: str, rank: int) -> None:
        [row] = asked(expanded(f"select {{{{ status_rank(\"'{code}'\") }}}} as rank, {{{{ rank_status({rank}) }}}} as code"), {})
        assert row == {"rank": rank, "code": code}

    def test_no_rank_without_a_status(self) -> None:
        [row] = asked(expanded("select {{ status_rank(\"'Z'\") }} as rank, {{ rank_status(0) }} as code"), {})
        assert row == {"rank": None, "code": None}

"""Expressions of a pack can only compute."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.lake import sandbox
from pipelines.lake.sandbox import Sandbox
from pipelines.packs import expressions
from pipelines.packs.expressions import ExpressionError


class TestExpressions:
    @pytest.mark.parametrize(
        "text",
        [
            "'CZ_' || code", "case a when '1' then 'M' else '_U' end", "a between 1 and 2 and b not in ('x', 'y')", "a is not null or not b",
            "cast(a as double)", "try_cast(a as date)", "a::varchar", "regexp_full_match(a, '[0-9]+')", "coalesce(nullif(a, ''), 'x')",
            "strptime(a, '%d.%m.%Y')", "extract(year from cast(a as date))", "substr(a, 1, 2) || lpad(b, 3, '0')", "-a * 2 + b / 3", "a ilike 'x%'",
        ],
    )  # fmt: skip
    def test_allows_what_packs_need(self, text: str) -> None:
        assert expressions.fault(text, ["a", "b", "code"]) is None

    @pytest.mark.parametrize(
        "text",
        [
            "(select 1)", "exists (select 1)", "a in (select 1)", "1; drop table input", "a from input", "1 union select 2", "*", "columns('a')",
            "read_csv('/etc/passwd')", "read_text('x')", "getenv('HOME')", "current_setting('memory_limit')", "random()", "now()", "uuid()",
            "row_number() over ()", "$1", "?", "list_transform([1], x -> x)", "a[1]", "[a]", "{'a': 1}", "input.a", "nextval('s')", "version()",
            "pg_sleep(1)", "glob('*')", "sum(a)", "count(*)", "cast(a as json)", "current_date", "a collate nocase", "", "--", "1) or (1",
        ],
    )  # fmt: skip
    def test_rejects_everything_else(self, text: str) -> None:
        assert expressions.fault(text, ["a"]) is not None

    def test_allows_aggregates_in_counts(self) -> None:
        assert expressions.fault("count(*) filter (where a)", ["a"], aggregate=True) is None
        assert expressions.fault("sum(sum(a))", ["a"], aggregate=True) is not None


class TestSandbox:
    @pytest.mark.parametrize("sql", ["select * from read_csv('/etc/hostname')", "copy (select 1) to '/tmp/x'", "install httpfs", "attach '/tmp/x.db'",
                                     "set memory_limit = '10GB'", "set enable_external_access = true"])  # fmt: skip
    def test_has_no_files_no_network_and_no_settings(self, sql: str) -> None:
        with pytest.raises(ExpressionError):
            Sandbox().query(sql)

    def test_failing_row_does_not_stop_the_others(self) -> None:
        frame = pl.DataFrame({"__n": [0, 1, 2, 3], "x": ["1", "one", None, "4"]})
        values, failures = Sandbox().evaluate(frame, [("v", "double", "cast(x as double)"), ("w", "varchar", "x || '!'")])
        assert values["v"].to_list() == [1.0, None, None, 4.0]
        assert values["w"].to_list() == ["1!", "one!", None, "4!"]
        assert failures.select("__n", "column").rows() == [(1, "v")]
        assert "one" in failures["reason"][0]

    def test_stops_endless_query(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "SECONDS", 0.3)
        with pytest.raises(ExpressionError, match="stopped after"):
            Sandbox().query("select count(*) from range(100000) a, range(100000) b, range(1000) c where a.range + b.range + c.range < 0")

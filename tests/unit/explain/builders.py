"""Builds facts for tests from a few terms and observations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipelines.explain.facts import Area, Facts, Indicator, Key, Observation, Place, Term


def term(measure: str, side: str = "numerator", **more: Any) -> Term:
    return Term(**{"side": side, "measure": measure, "times": None, "factor": 1.0, "sex": None, "age": None, "lag": 0, **more})


def denominator(measure: str, **more: Any) -> Term:
    return term(measure, "denominator", **more)


def obs(key: str, value: float | None, status: str = "A", source: str = "s", row: int = 1, **more: Any) -> Observation:
    """Return an observation; `key` is `measure area period [sex [age]]`."""
    measure, area, period, sex, age = [*key.split(), "_T", "_T"][:5] if len(key.split()) < 5 else key.split()
    fields = {"aggregate": None, "by_sex": False, "rows": 1, "snapshot": "0" * 64, **more}
    return Observation(source, "", Key(measure, area, period, sex, age), value, status, row=row, **fields)


def facts(terms: list[Term], *observations: Observation, formula: dict[str, Any] | None = None, **more: Any) -> Facts:
    """Return the facts of an indicator with these terms. Without `areas`, every observed area has weight 1."""
    fields = {
        "unit": "1", "formula": "x", "rollup": "computed", "multiplier": 1.0, "weighted": False, "missing_zero": False, "window_years": None,
        "window_agg": None, "window_min": None, "change_kind": None, "change_years": None,
        "has_denominator": any(t.side != "numerator" for t in terms), **(formula or {}),
    }  # fmt: skip
    places: dict[Place, list[Observation]] = defaultdict(list)
    for o in observations:
        places[Place(o.key.measure, o.key.ref_area, o.key.time_period)].append(o)
    weights = more.pop("areas", dict.fromkeys([o.key.ref_area for o in observations], 1.0))
    areas = {name: Area(name, name.upper(), "town", None, weight) for name, weight in weights.items()}
    more.setdefault("has_weight", True)
    return Facts(
        Indicator("i", terms=tuple(terms), **fields), {p: tuple(o) for p, o in places.items()}, areas,
        more.pop("positions", {"s": 0, "t": 1}), more.pop("additive", {}), **more,
    )  # fmt: skip

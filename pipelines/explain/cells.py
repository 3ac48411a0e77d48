"""From observations of the lake to a cell: aggregates, sexes, sources in their order, changes of areas. Pure, by the rules of the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.core.vocabulary import FEMALE, FIRST_MISSING_RANK, MALE, STATUS_RANK, UNKNOWN_SEX
from pipelines.explain.facts import Facts, Key, Observation, Place

PARTS_OF_TOTAL = (MALE, FEMALE, UNKNOWN_SEX)
Q = STATUS_RANK["Q"]
BREAK, ESTIMATED = STATUS_RANK["B"], STATUS_RANK["E"]


@dataclass(frozen=True)
class Origin:
    """What an area was, and the share of it that it holds now; `weight` weights the mean of a measure that is not summed."""

    ref_area: str
    share: float
    cell: Cell | None
    weight: Cell | None
    rank: int


@dataclass(frozen=True)
class Cell:
    """A cell with what it was made from.

    how: observed (as the source gives it), aggregated (over rows), zero (rows of the other sex only), women and men (a total that no
    source gives), conflict (a source gives several values), contradiction (a source gives a total that is less than its parts), doubt (a
    refused row may be of either sex), restated (from what the area was)
    """

    key: Key
    source: str
    value: float | None
    rank: int
    how: str
    inputs: tuple[Observation, ...] = ()
    parts: tuple[Cell, ...] = ()
    passed_over: tuple[Cell, ...] = ()  # the same cell of sources that come later by file name
    origins: tuple[Origin, ...] = ()


def cell(facts: Facts, key: Key) -> Cell | None:
    """Return the cell of `key` over all sources, restated to the current areas; None where nothing is observed of it."""
    at = (key.ref_area, key.time_period)
    if at in facts.origins:
        return _restated(facts, key, facts.origins[at])
    return None if at in facts.gone else reported(facts, key)


def _restated(facts: Facts, key: Key, shares: Sequence[tuple[str, float]]) -> Cell | None:
    """Return the cell out of those of the areas that it was, by share; None where none of them has one."""
    additive, weighting = facts.additive.get(key.measure, True), facts.weighted_by.get(key.measure)
    origins = []
    for area, share in sorted(shares):
        found = reported(facts, key._replace(ref_area=area))
        weight = reported(facts, key._replace(measure=weighting, ref_area=area)) if weighting and not additive else None
        rank = (0 if key.measure in facts.counted else FIRST_MISSING_RANK) if found is None else found.rank
        if found is not None and rank < FIRST_MISSING_RANK and weighting and not additive:
            rank = max(rank, weight.rank if weight else FIRST_MISSING_RANK)
        origins.append(Origin(area, share, found, weight, rank))
    there = [o.cell for o in origins if o.cell is not None]
    if not there:
        return None
    rank = max(o.rank for o in origins)
    value = _by_share(origins, additive, bool(weighting)) if rank < FIRST_MISSING_RANK else None
    rank = rank if rank >= FIRST_MISSING_RANK else FIRST_MISSING_RANK if value is None else max(rank, ESTIMATED)
    parts = (*there, *(o.weight for o in origins if o.weight is not None))
    return Cell(key, min(c.source for c in there), value, rank, "restated", parts=parts, origins=tuple(origins))


def _by_share(origins: Sequence[Origin], additive: bool, weighted: bool) -> float | None:
    values = [(o.share, o.cell.value, o.weight.value if o.weight else None) for o in origins if o.cell and o.cell.value is not None]
    if additive:
        return sum(share * value for share, value, _ in values) if values else None
    if weighted:
        total = sum(share * weight for share, _, weight in values if weight is not None)
        return sum(share * value * weight for share, value, weight in values if weight is not None) / total if total else None
    return values[0][1] if len(origins) == 1 and values else None  # it goes over as a whole or not at all


def reported(facts: Facts, key: Key) -> Cell | None:
    """Return the cell of `key` as it was reported, over all sources."""
    at_place = facts.observations.get(Place(key.measure, key.ref_area, key.time_period), ())
    if not at_place:
        return None
    of_age = [o for o in at_place if o.key.age == key.age]
    by_sex = {sex: found for sex in (*PARTS_OF_TOTAL, "_T") if (found := _first(facts, of_age, key._replace(sex=sex))) is not None}
    if key.sex in by_sex:
        return by_sex[key.sex]
    both = "M" in by_sex and "F" in by_sex
    if key.sex != "_T" or not both or not facts.additive.get(key.measure, True):
        return None
    parts = tuple(by_sex[sex] for sex in sorted(by_sex))
    values = [p.value for p in parts]
    total = None if None in values else sum(v for v in values if v is not None)
    return Cell(key, min(p.source for p in parts), total, max(p.rank for p in parts), "women and men", parts=parts)


def _first(facts: Facts, observations: Sequence[Observation], key: Key) -> Cell | None:
    """Return the cell of the first source by file name that has it."""
    sources = sorted({o.source for o in observations}, key=lambda s: facts.positions.get(s, len(facts.positions)))
    found = [c for s in sources if (c := _of_source(facts, [o for o in observations if o.source == s], key)) is not None]
    return replace(found[0], passed_over=tuple(found[1:])) if found else None


def _of_source(facts: Facts, observations: Sequence[Observation], key: Key) -> Cell | None:
    """Return the cell as one source gives it; `observations` are all of its area, period and age."""
    if any(o.aggregate for o in observations):
        return _aggregated(facts, observations, key)
    mine = tuple(o for o in observations if o.key.sex == key.sex)
    if not mine:
        return None
    source = mine[0].source
    if (source, key) in facts.conflicts:
        return Cell(key, source, None, Q, "conflict", mine)
    given = [o for o in mine if rank_of(facts, o) != Q]  # a refused row counts only where no other gives the cell
    values = [o.value for o in given if o.value is not None]
    rank = max((rank_of(facts, o) for o in given), default=Q)
    return Cell(key, source, min(values, default=None), rank, "observed", tuple(given) or mine)


def _aggregated(facts: Facts, observations: Sequence[Observation], key: Key) -> Cell | None:
    rows, kind, source = tuple(observations), observations[0].aggregate or "sum", observations[0].source
    if key.sex != "_T" and not rows[0].by_sex:
        return None
    mine = tuple(o for o in rows if o.key.sex == key.sex)
    totals = tuple(o for o in rows if o.key.sex == "_T") if kind == "sum" else ()
    own_total = _over(kind, totals, max((rank_of(facts, o) for o in totals), default=Q))
    absent_is_zero = kind == "sum" and (own_total is None or _is_sum_of_parts(facts, rows, own_total))
    if any((source, key._replace(sex=sex)) in facts.conflicts for sex in (*PARTS_OF_TOTAL, "_T")):
        return Cell(key, source, None, Q, "contradiction", rows) if mine or key.sex != "_U" else None
    if key.sex == "_T":
        behind = rows if own_total is None else totals  # the source's own total stands, and is never added to its parts
        rank = max(rank_of(facts, o) for o in behind)
        return Cell(key, source, _over(kind, behind, rank), rank, "aggregated", behind)
    own = max((rank_of(facts, o) for o in mine), default=None)
    if own is None and (key.sex == "_U" or not absent_is_zero):
        return None
    doubtful = tuple(o for o in rows if o.key.sex == "_T" and rank_of(facts, o) > 10)
    if doubtful:  # a refused row of unknown sex
        return Cell(key, source, None, max(*(rank_of(facts, o) for o in doubtful), own or 0), "doubt", (*mine, *doubtful))
    if own is None:
        return Cell(key, source, 0.0, 1, "zero", rows)
    return Cell(key, source, _over(kind, mine, own), own, "aggregated", mine)


def _is_sum_of_parts(facts: Facts, rows: Sequence[Observation], total: float) -> bool:
    """Whether the rows of women, men and unknown sex sum to the source's own total; a sex of which a row is missing adds nothing."""
    values = []
    for sex in PARTS_OF_TOTAL:
        mine = [o for o in rows if o.key.sex == sex]
        values.append(_over("sum", mine, max((rank_of(facts, o) for o in mine), default=Q)) or 0.0)
    return abs(total - sum(values)) <= 1e-9 * abs(total)


def _over(kind: str, rows: Sequence[Observation], rank: int) -> float | None:
    """Return what becomes of the rows' values; a cell of which any row is missing is missing."""
    values = [o.value for o in sorted(rows, key=lambda o: o.key.sex) if o.value is not None]
    if rank > 10 or not values:
        return None
    return sum(values) if kind == "sum" else min(values) if kind == "min" else max(values)


def rank_of(facts: Facts, observation: Observation) -> int:
    """Return the rank of an observation's status; a value in a period of a declared break carries B."""
    rank = STATUS_RANK[observation.status]
    broken = observation.value is not None and any(
        (b.measure, b.source, b.period) == (observation.key.measure, observation.source, observation.key.time_period) for b in facts.breaks
    )
    return max(rank, BREAK) if broken else rank


def observations_of(found: Cell | None) -> list[Observation]:
    """Return every observation behind a cell, each once."""
    if found is None:
        return []
    return list(dict.fromkeys([*found.inputs, *(o for p in found.parts for o in observations_of(p))]))

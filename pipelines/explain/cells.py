"""From observations of the lake to a cell: aggregates, sexes, order of sources, changes of areas. Pure functions; same rules as the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.core.vocabulary import AREA_KM2, AREAS, FEMALE, FIRST_MISSING_RANK, MALE, STATUS_RANK, TOTAL, UNKNOWN_SEX
from pipelines.explain.facts import Facts, Key, Observation, Place

PARTS_OF_TOTAL = (MALE, FEMALE, UNKNOWN_SEX)
Q, TOO_FEW, NOT_COLLECTED = STATUS_RANK["Q"], STATUS_RANK["L"], STATUS_RANK["O"]
BREAK, ESTIMATED = STATUS_RANK["B"], STATUS_RANK["E"]


@dataclass(frozen=True)
class Origin:
    """A former area, and the share of it that the present area holds. `weight` weights the mean of a measure that is not summed."""

    ref_area: str
    share: float
    cell: Cell | None
    weight: Cell | None
    rank: int


@dataclass(frozen=True)
class Cell:
    """A cell with its inputs.

    how: observed (as the source gives it), aggregated (over rows), zero (rows of the other sex only), women and men (a total that no
    source gives), conflict (a source gives several values), contradiction (a source gives a total that is less than its parts), doubt (a
    rejected row may be of either sex), restated (from former areas)
    """

    key: Key
    source: str
    value: float | None
    rank: int
    how: str
    inputs: tuple[Observation, ...] = ()
    parts: tuple[Cell, ...] = ()
    passed_over: tuple[Cell, ...] = ()  # the same cell from sources with later file names
    origins: tuple[Origin, ...] = ()
    periods: int | None = None  # finer periods that have rows, where the measure is made from them


def find_cell(facts: Facts, key: Key) -> Cell | None:
    """Return the cell of `key` over all sources, restated to the current areas, or None where there are no observations of it."""
    at = (key.ref_area, key.time_period)
    if at in facts.origins:
        return _restated(facts, key, facts.origins[at])
    return None if at in facts.passed_on else reported_cell(facts, key)


def _restated(facts: Facts, key: Key, shares: Sequence[tuple[str, float]]) -> Cell | None:
    """Return the cell from those of the former areas, by share, or None where none of them has one."""
    additive, weighting = facts.additive.get(key.measure, True), facts.weighted_by.get(key.measure)
    origins = []
    for area, share in sorted(shares):
        cell = reported_cell(facts, key._replace(ref_area=area))
        weight = reported_cell(facts, key._replace(measure=weighting, ref_area=area)) if weighting and not additive else None
        rank = (0 if key.measure in facts.counted else NOT_COLLECTED) if cell is None else cell.rank
        if cell is not None and rank < FIRST_MISSING_RANK and weighting and not additive:
            rank = max(rank, weight.rank if weight else NOT_COLLECTED)
        passed_on = facts.share([key.measure], area, key, share)
        origins.append(Origin(area, passed_on or 0.0, cell, weight, NOT_COLLECTED if passed_on is None else rank))
    cells = [o.cell for o in origins if o.cell is not None]
    if not cells:
        return None
    rank = max(o.rank for o in origins)
    value = _by_share(origins, additive, bool(weighting)) if rank < FIRST_MISSING_RANK else None
    rank = rank if rank >= FIRST_MISSING_RANK else NOT_COLLECTED if value is None else max(rank, ESTIMATED)
    parts = (*cells, *(o.weight for o in origins if o.weight is not None))
    return Cell(key, min(c.source for c in cells), value, rank, "restated", parts=parts, origins=tuple(origins))


@dataclass(frozen=True)
class ProductPart:
    """A product in a former area; `factors` are the two measures there. A surface counts as 1 and weights the mean instead (`km2`)."""

    ref_area: str
    share: float
    factors: tuple[float | None, float | None]
    km2: float | None
    rank: int

    @property
    def amount(self) -> float | None:
        first, second = self.factors
        return None if first is None or second is None else first * second


@dataclass(frozen=True)
class RestatedProduct:
    """The product of two measures in an area that came from others: taken in each of them, then summed by share."""

    parts: tuple[ProductPart, ...]
    by_surface: bool
    value: float | None
    rank: int


def restated_product(facts: Facts, keys: Sequence[Key]) -> RestatedProduct | None:
    """Return the product of the cells of two `keys` in one place, or None where it is simply that of two numbers.

    That is so in an area that did not come from others, and where one of the measures has no cell.
    """
    place, built_in = keys[0], [key.measure in (AREAS, AREA_KM2) for key in keys]
    shares = facts.origins.get((place.ref_area, place.time_period))
    if shares is None or all(built_in) or any(not b and find_cell(facts, key) is None for key, b in zip(keys, built_in, strict=True)):
        return None
    by_surface = any(key.measure == AREA_KM2 for key in keys)
    parts = []
    for area, share in sorted(shares):
        factors = [_factor(facts, key._replace(ref_area=area)) for key in keys]
        (first, first_rank), (second, second_rank) = factors
        passed_on = facts.share([key.measure for key in keys], area, place, share)
        rank = max(first_rank, second_rank, NOT_COLLECTED if passed_on is None else 0)
        parts.append(ProductPart(area, passed_on or 0.0, (first, second), facts.areas[area].km2, rank))
    rank = max(p.rank for p in parts)
    value = _product_value(facts, place.ref_area, parts, by_surface) if rank < FIRST_MISSING_RANK else None
    rank = rank if rank >= FIRST_MISSING_RANK else STATUS_RANK["M"] if value is None else max(rank, ESTIMATED)
    return RestatedProduct(tuple(parts), by_surface, value, rank)


def _factor(facts: Facts, key: Key) -> tuple[float | None, int]:
    if key.measure in (AREAS, AREA_KM2):
        return 1.0, 1
    cell = reported_cell(facts, key)
    if cell is not None:
        return cell.value, cell.rank
    return (0.0, 0) if key.measure in facts.counted else (None, NOT_COLLECTED)


def _product_value(facts: Facts, ref_area: str, parts: Sequence[ProductPart], by_surface: bool) -> float | None:
    amounts = [(p.share, p.amount, p.km2) for p in parts]
    if not by_surface:
        return sum(share * amount for share, amount, _ in amounts if amount is not None)
    km2 = facts.areas[ref_area].km2
    # a former area that passes nothing on has no part in the mean; if all shares are 0, every area counts once
    amounts = [part for part in amounts if part[0] > 0] or [(1.0, amount, surface) for _, amount, surface in amounts]
    if len(amounts) == 1:
        [(_, mean, _)] = amounts
    else:
        surfaces = [share * surface for share, _, surface in amounts if surface is not None]
        total = sum(surfaces) if len(surfaces) == len(amounts) else 0.0
        mean = (
            sum(share * amount * surface for share, amount, surface in amounts if amount is not None and surface) / total if total else None
        )
    return None if km2 is None or mean is None else km2 * mean


def _by_share(origins: Sequence[Origin], additive: bool, weighted: bool) -> float | None:
    values = [(o.share, o.cell.value, o.weight.value if o.weight else None) for o in origins if o.cell and o.cell.value is not None]
    if additive:
        return sum(share * value for share, value, _ in values) if values else None
    if weighted:
        weighed = [(share * weight, value) for share, value, weight in values if weight is not None]
        total = sum(weight for weight, _ in weighed)
        if any(weight for weight, _ in weighed):
            return sum(weight * value for weight, value in weighed) / total
        return sum(value for _, value in weighed) / len(weighed) if weighed else None
    return values[0][1] if len(origins) == 1 and values else None  # such a measure passes on as a whole or not at all


def reported_cell(facts: Facts, key: Key) -> Cell | None:
    """Return the cell of `key` over all sources, as they report it."""
    at_place = facts.observations.get(Place(key.measure, key.ref_area, key.time_period), ())
    if not at_place:
        return None
    of_age = [o for o in at_place if o.key.age == key.age]
    by_sex = {sex: cell for sex in (*PARTS_OF_TOTAL, "_T") if (cell := _first(facts, of_age, key._replace(sex=sex))) is not None}
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
    cells = [c for s in sources if (c := _of_source(facts, [o for o in observations if o.source == s], key)) is not None]
    return replace(cells[0], passed_over=tuple(cells[1:])) if cells else None


def _of_source(facts: Facts, observations: Sequence[Observation], key: Key) -> Cell | None:
    """Return the cell as one source gives it; `observations` are all of its area, period and age."""
    if any(o.aggregate for o in observations):
        observations = _without_empty_periods(facts, observations)
        return _over_periods(facts, observations, _aggregated(facts, observations, key))
    of_sex = tuple(o for o in observations if o.key.sex == key.sex)
    if not of_sex:
        return None
    source = of_sex[0].source
    if (source, key) in facts.conflicts:
        return Cell(key, source, None, Q, "conflict", of_sex)
    accepted = [o for o in of_sex if rank_of(facts, o) != Q]  # a rejected row counts only where no other row gives the cell
    values = [o.value for o in accepted if o.value is not None]
    rank = max((rank_of(facts, o) for o in accepted), default=Q)
    return Cell(key, source, min(values, default=None), rank, "observed", tuple(accepted) or of_sex)


def _without_empty_periods(facts: Facts, observations: Sequence[Observation]) -> Sequence[Observation]:
    """Return the rows without the empty ones where finer periods make a longer one, unless all rows of that sex are empty."""
    if (observations[0].source, observations[0].key.measure) not in facts.over_periods:
        return observations
    with_values = {o.key.sex for o in observations if o.value is not None}
    empty = {TOO_FEW, NOT_COLLECTED, STATUS_RANK["M"]}
    return [o for o in observations if o.key.sex not in with_values or rank_of(facts, o) not in empty]


def _number_of_periods(observations: Sequence[Observation], sex: str) -> int:
    """Return in how many finer periods a sex is known: those with its rows; for all, those with a total, or with as many sexes as any other."""
    if sex == UNKNOWN_SEX:
        return len(_periods(observations, *PARTS_OF_TOTAL, TOTAL))
    if sex != TOTAL and (of_sex := _periods(observations, sex)):
        return len(of_sex)
    totals, women, men = (_periods(observations, s) for s in (TOTAL, FEMALE, MALE))
    if any(o.value is not None and o.key.sex == TOTAL and o.aggregate in ("sum", "mean") for o in observations):
        return len(totals)
    sexes = {period: (period in women) + (period in men) for period in _periods(observations, *PARTS_OF_TOTAL, TOTAL)}
    return sum(period in totals or count == max(sexes.values()) for period, count in sexes.items())


def _periods(observations: Sequence[Observation], *sexes: str) -> set[str]:
    return {o.key.time_period for o in observations if o.key.sex in sexes}


def _over_periods(facts: Facts, observations: Sequence[Observation], cell: Cell | None) -> Cell | None:
    """Return a cell of a measure with finer periods, without a value where there are too few of them."""
    over = facts.over_periods.get((cell.source, cell.key.measure)) if cell else None
    if cell is None or over is None:
        return cell
    periods = _number_of_periods(observations, cell.key.sex)
    if periods < over.needed:
        return replace(cell, value=None, rank=TOO_FEW if cell.rank < FIRST_MISSING_RANK else cell.rank, periods=periods)
    return replace(cell, periods=periods)


def _aggregated(facts: Facts, observations: Sequence[Observation], key: Key) -> Cell | None:
    rows, kind, source = tuple(observations), observations[0].aggregate or "sum", observations[0].source
    if key.sex != "_T" and not rows[0].by_sex:
        return None
    of_sex = tuple(o for o in rows if o.key.sex == key.sex)
    totals = tuple(o for o in rows if o.key.sex == "_T") if kind in ("sum", "mean") else ()
    own_total = _value(facts, rows, totals, max((rank_of(facts, o) for o in totals), default=Q))
    absent_is_zero = kind == "sum" and (own_total is None or _is_sum_of_parts(facts, rows, own_total))
    if any((source, key._replace(sex=sex)) in facts.conflicts for sex in (*PARTS_OF_TOTAL, "_T")):
        return Cell(key, source, None, Q, "contradiction", rows) if of_sex or key.sex != "_U" else None
    if key.sex == "_T":
        inputs = rows if own_total is None else totals  # the source's own total is used, and never added to its parts
        rank = max(rank_of(facts, o) for o in inputs)
        return Cell(key, source, _value(facts, rows, inputs, rank), rank, "aggregated", inputs)
    own_rank = max((rank_of(facts, o) for o in of_sex), default=None)
    if own_rank is None and (key.sex == "_U" or not absent_is_zero):
        return None
    doubtful = tuple(o for o in rows if o.key.sex == "_T" and rank_of(facts, o) >= FIRST_MISSING_RANK)
    if doubtful:  # rejected rows of unknown sex
        return Cell(key, source, None, max(*(rank_of(facts, o) for o in doubtful), own_rank or 0), "doubt", (*of_sex, *doubtful))
    if own_rank is None:
        return Cell(key, source, 0.0, 1, "zero", rows)
    return Cell(key, source, _value(facts, rows, of_sex, own_rank), own_rank, "aggregated", of_sex)


def _is_sum_of_parts(facts: Facts, rows: Sequence[Observation], total: float) -> bool:
    """Return whether the rows of women, men and unknown sex sum to the source's own total. A sex with a missing row adds nothing."""
    values = []
    for sex in PARTS_OF_TOTAL:
        of_sex = [o for o in rows if o.key.sex == sex]
        values.append(_value(facts, rows, of_sex, max((rank_of(facts, o) for o in of_sex), default=Q)) or 0.0)
    return abs(total - sum(values)) <= 1e-9 * abs(total)


def _value(facts: Facts, rows: Sequence[Observation], selected: Sequence[Observation], rank: int) -> float | None:
    """Return the aggregate of some rows of a cell: where it is the mean of finer periods, the sum of the means of its sexes."""
    kind = rows[0].aggregate or "sum"
    over = facts.over_periods.get((rows[0].source, rows[0].key.measure))
    if over is None or not over.is_mean or rank >= FIRST_MISSING_RANK:
        return _over(kind, selected, rank)
    means = []
    for sex in sorted({o.key.sex for o in selected}):
        total = _over(kind, [o for o in selected if o.key.sex == sex], rank)
        periods = _periods(rows, *((*PARTS_OF_TOTAL, TOTAL) if sex == UNKNOWN_SEX else (sex,)))
        means += [] if total is None else [total / len(periods)]
    return sum(means) if means else None


def _over(kind: str, rows: Sequence[Observation], rank: int) -> float | None:
    """Return the aggregate of the rows' values. A cell with a missing row is missing."""
    values = [o.value for o in sorted(rows, key=lambda o: o.key.sex) if o.value is not None]
    if rank >= FIRST_MISSING_RANK or not values:
        return None
    if kind == "mean":
        return sum((o.value or 0.0) * (o.rows or 1) for o in rows) / sum(o.rows or 1 for o in rows)
    return sum(values) if kind == "sum" else min(values) if kind == "min" else max(values)


def rank_of(facts: Facts, observation: Observation) -> int:
    """Return the rank of an observation's status; a value in a period of a declared break carries B."""
    rank = STATUS_RANK[observation.status]
    over = facts.over_periods.get((observation.source, observation.key.measure))
    periods = {observation.key.time_period, *([over.longer(observation.key.time_period)] if over else [])}
    has_break = observation.value is not None and any(
        (b.measure, b.source) == (observation.key.measure, observation.source) and b.period in periods for b in facts.breaks
    )
    return max(rank, BREAK) if has_break else rank


def observations_of(cell: Cell | None) -> list[Observation]:
    """Return every observation behind a cell, each once."""
    if cell is None:
        return []
    return list(dict.fromkeys([*cell.inputs, *(o for p in cell.parts for o in observations_of(p))]))

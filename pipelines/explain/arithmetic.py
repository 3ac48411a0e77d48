"""The formula of a number with its numbers, line by line down to the value. Computes intermediate results only; the value is given."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.explain.cells import RestatedProduct
from pipelines.explain.computation import Computation
from pipelines.explain.facts import Indicator
from pipelines.explain.format import number, signed
from pipelines.explain.formula import AreaSums, Sums, TermValue, Year, ratio
from pipelines.explain.parents import Outcome

Pair = tuple[float | None, float | None]
"""A numerator and a denominator."""
_BARE = str.maketrans("", "", "()")
_OVER = {"sum": "sum", "mean": "mean", "count_nonzero": "years other than 0"}


def arithmetic(computation: Computation) -> list[str]:
    """Return the lines of the calculation, ending with the value, or no lines where there is nothing to calculate."""
    difference = computation.difference
    if difference is None:
        return _value_lines(computation, computation.outcome)
    lines, area = _value_lines(computation, difference.plain), difference.above
    if difference.plain.value is None or area is None or difference.above_value is None:
        return lines
    less = f"less {signed(difference.above_value)} of {area}"
    return [
        *lines,
        f"{less}: {number(difference.plain.value)} - {signed(difference.above_value)}",
        f"= {number(computation.outcome.value)}",
    ]


def _value_lines(computation: Computation, outcome: Outcome) -> list[str]:
    indicator, own, rolled = computation.facts.indicator, computation.own, computation.rolled
    if own is None or outcome.way == "absent":
        return []
    if outcome.way == "rolled" and rolled is not None:
        what = f"over {rolled.contributing} of {len(rolled.members)} areas of level {computation.finest}"
        if not rolled.contributing:
            return [f"no sum {what}"]
        lines = [f"sums {what}: numerator {number(rolled.numerator)}" + _denominator(indicator, rolled.denominator)]
        if indicator.change_kind is not None:
            lines.append(f"their base: numerator {number(rolled.base_numerator)}" + _denominator(indicator, rolled.base_denominator))
        if indicator.weighted:
            value, weight = (t.measure for t in indicator.terms)
            lines.append(f"the numerator sums {value} * {weight}, the denominator {weight}")
        now, base = (rolled.numerator, rolled.denominator), (rolled.base_numerator, rolled.base_denominator)
        return lines + _final_lines(indicator, now, base, outcome.value, own)
    if indicator.weighted and indicator.is_direct:
        line = (f"{indicator.multiplier:g} * " if indicator.multiplier != 1 else "") + signed(own.now.unweighted)
        return [f"= {line}"] if outcome.value is None or line == number(outcome.value) else [f"= {line}", f"= {number(outcome.value)}"]
    if indicator.is_share:
        limit = f"below {number(indicator.share_below)}" if indicator.share_below is not None else f"above {number(indicator.share_above)}"
        lines = [f"the value {number(own.compared)}, compared with the threshold: {limit}"] if own.compared is not None else []
        return lines + _final_lines(indicator, (own.now.numerator, own.now.denominator), (None, None), outcome.value, own)
    lines = _sums(indicator, own.now)
    if own.base is not None:
        lines += _sums(indicator, own.base)
    base = (own.base.numerator, own.base.denominator) if own.base else (None, None)
    return lines + _final_lines(indicator, (own.now.numerator, own.now.denominator), base, outcome.value, own)


def _denominator(indicator: Indicator, denominator: float | None) -> str:
    return f", denominator {number(denominator)}" if indicator.has_denominator else ""


def _sums(indicator: Indicator, sums: Sums) -> list[str]:
    """Return the terms of each year, and the result of the window."""
    if indicator.window_years is None:
        line = _terms(indicator, sums.years[0])
        plain = _ratio(indicator, sums.numerator, sums.denominator)
        prefix = f"{sums.time_period}: " if indicator.change_kind is not None else "= "
        same = line.translate(_BARE) == plain.translate(_BARE)
        return [] if same else [prefix + line]
    lines = [f"{y.time_period}: {_terms(indicator, y)}" + ("" if y.complete else "  (incomplete, not used)") for y in sums.years]
    kind = _OVER[indicator.window_agg or "sum"]
    top = f"{kind} over the window to {sums.time_period}: numerator {number(sums.numerator)}"
    return [*lines, top + _denominator(indicator, sums.denominator)]


def _terms(indicator: Indicator, year: Year) -> str:
    """Return the formula of a year with numbers in place of measures, without the multiplier of a window."""
    top = _side([t for t in year.terms if t.term.side == "numerator"])
    low = _side([t for t in year.terms if t.term.side != "numerator"])
    multiplier = f"{indicator.multiplier:g} * " if indicator.multiplier != 1 and indicator.window_years is None else ""
    if indicator.weighted:
        return f"{multiplier}({top} * {low}) / {low}"
    return multiplier + (f"{top} / {low}" if low else top)


def _side(terms: Sequence[TermValue]) -> str:
    texts = []
    for term in terms:
        factor = [signed(term.term.factor)] if term.term.factor != 1 else []
        if term.product is not None:
            texts.append(" * ".join([*factor, _product(term.product)]))
        else:
            texts.append(" * ".join([*factor, *(signed(o.value) for o in term.operands)]))
    text = " + ".join(texts)
    return f"({text})" if len(terms) > 1 else text


def _product(product: RestatedProduct) -> str:
    """Return the product of an area that came from others: the sum of those of the former areas, each with its share."""
    if product.by_surface:
        return signed(product.value)
    parts = [" * ".join([*([number(p.share)] if p.share != 1 else []), *(signed(f) for f in p.factors)]) for p in product.parts]
    return f"({' + '.join(parts)})" if len(parts) > 1 else parts[0]


def _final_lines(indicator: Indicator, now: Pair, base: Pair, value: float | None, own: AreaSums) -> list[str]:
    """Return the lines from numerators and denominators to the value."""
    if indicator.change_kind is None:
        line = _ratio(indicator, *now)
        lines = [f"= {line}"]
        return lines if value is None or line == number(value) else [*lines, f"= {number(value)}"]
    last, first = ratio(indicator, *now), ratio(indicator, *base)
    lines = [_line_of_end(indicator, own.now.time_period, now)]
    if own.base is not None:
        lines.append(_line_of_end(indicator, own.base.time_period, base))
    if value is None:
        return lines
    text = {
        "difference": f"{number(last)} - {signed(first)}",
        "percent": f"100 * ({number(last)} - {signed(first)}) / {number(first)}",
        "log_ratio": f"ln({number(last)} / {number(first)})",
    }[indicator.change_kind]
    return [*lines, f"= {text}", f"= {number(value)}"]


def _line_of_end(indicator: Indicator, period: str, pair: Pair) -> str:
    """Return the line of one end of a change."""
    text, result = _ratio(indicator, *pair), number(ratio(indicator, *pair))
    return f"{period}: {text}" + ("" if text == result else f" = {result}")


def _ratio(indicator: Indicator, numerator: float | None, denominator: float | None) -> str:
    text = f"{indicator.multiplier:g} * {signed(numerator)}" if indicator.multiplier != 1 else number(numerator)
    return f"{text} / {signed(denominator)}" if indicator.has_denominator else text

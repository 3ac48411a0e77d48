"""Compile a pack's declarations into tables, as the warehouse reads them. Everything dbt knows of indicators and indices comes from here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.core.fingerprint import integer_keys
from pipelines.core.vocabulary import AREAS
from pipelines.packs import Pack, confidentiality
from pipelines.packs.objectives import MEASURES
from pipelines.packs.schema import Component, CountedSource, FetchedSource, Formula, Indicator, Normalise, ObservationsMap, Peers, Term

S, F, N, B, K = pl.String, pl.Float64, pl.Int64, pl.Boolean, pl.Int32
SCHEMAS: dict[str, dict[str, Any]] = {
    "levels": {"level": S, "position": N, "title": S},
    "level_parents": {"level": S, "parent_level": S},
    "pack": {"pack": S, "country": S, "weight": S, "weight_key": K, "min_coverage": F, "min_available": F, "languages": S},
    "indicators": {
        "indicator": S, "indicator_key": K, "position": N, "objective": S, "measure": N, "field": S, "unit": S, "direction": S,
        "target_value": F, "decimals": N, "formula": S, "sdg": S, "needed": S, "rollup": S, "multiplier": F, "has_denominator": B,
        "weighted": B, "missing_zero": B,
        "window_years": N, "window_agg": S, "window_min": N, "change_kind": S, "change_years": N, "by_sex": B, "by_age": B,
        "last_level": S, "titles": S, "descriptions": S, "sources": S,
        "interval_kind": S, "interval_n": S, "interval_n_key": K, "interval_sd": S, "interval_sd_key": K, "weight": S,
        "weight_key": K, "is_change": B, "dispersion": B,
        "difference_to": S, "is_share": B, "share_below": F, "share_above": F, "share_by_weight": B,
        "value_multiplier": F, "value_has_denominator": B, "value_weighted": B, "value_change_kind": S,
        "units": S, "needs": S, "suppliers": S, "display": S, "depends_on_size": B,
        "confidential_below": N, "protected_with": S,
    },
    "objective_measures": {"objective": S, "measure": N, "position": N, "titles": S},
    "indicator_levels": {"indicator": S, "indicator_key": K, "level": S},
    "convergence_spans": {"indicator": S, "first_period": S, "last_period": S},
    "terms": {
        "indicator": S, "indicator_key": K, "side": S, "position": N, "measure": S, "measure_key": K, "times": S, "times_key": K, "factor": F,
        "sex": S, "age": S, "lag": N, "at_level": S,
    },
    "measures": {
        "measure": S, "measure_key": K, "source": S, "additive": B, "divisible": B, "weighted_by": S, "weighted_by_key": K, "source_position": N,
        "has_universe": B, "is_counted": B, "to_period": S, "needed_periods": N, "mean_of_periods": B,
        "confidential_below": N,
    },
    "breaks": {"measure": S, "measure_key": K, "source": S, "period": S, "note": S, "notes": S},
    "notes": {"note": S, "source": S, "position": N, "always": B, "is_undefined": B, "texts": S},
    "sources": {
        "source": S, "position": N, "title": S, "publisher": S, "licence": S, "rights": S, "carrier": S, "homepage": S, "citation": S,
        "confidence": S, "theme": S, "kind": S,
    },
    "peer_attributes": {"attribute": S, "position": N, "kind": S, "k": N},
    "indices": {
        "index_id": S, "position": N, "title": S, "objective": S, "level": S, "period": S, "max_age": N, "carry": N, "treat": S, "impute": S,
        "normalise": S, "pooled": B, "aggregate": S, "min_available": F, "uncertainty": S, "steps": S, "rank_partial": B, "titles": S, "notes": S,
    },
    "index_nodes": {
        "index_id": S, "node": S, "parent": S, "position": N, "indicator": S, "weight": F, "bound_worst": F, "bound_best": F, "direction": S,
        "normalise": S, "aggregate": S, "required": B,
    },
}  # fmt: skip


def compile_pack(pack: Pack) -> dict[str, pl.DataFrame]:
    """Return the tables of SCHEMAS filled from `pack`."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    head = pack.file
    rows["pack"].append(
        {
            "pack": head.id, "country": head.country, "weight": head.weight, "min_coverage": head.min_coverage,
            "min_available": head.min_available, "languages": ",".join(head.languages),
        }
    )  # fmt: skip
    for i, level in enumerate(head.levels):
        rows["levels"].append({"level": level.id, "position": i, "title": pack.text(level.title) or level.id})
        rows["level_parents"] += [{"level": level.id, "parent_level": parent} for parent in level.parents]
    filled = _measures(pack, rows)
    for i, indicator in enumerate(pack.indicators.values()):
        _indicator(pack, indicator, i, filled, rows)
    group_of = {name: group.name for group in confidentiality.groups(pack) for name in group.indicators}
    for row in rows["indicators"]:
        row["protected_with"] = group_of.get(row["indicator"])
    rows["peer_attributes"] += _peer_attributes(head.peers, filled) if head.peers else []
    for i, ((objective, measure), title) in enumerate(MEASURES.items()):
        rows["objective_measures"].append({"objective": objective, "measure": measure, "position": i, "titles": _by_language(pack, title)})
    for i, index in enumerate(pack.indices.values()):
        rows["indices"].append(
            {
                "index_id": index.id, "position": i, "title": pack.text(index.title), "objective": index.objective, "level": index.level,
                "period": index.period, "max_age": index.max_age, "carry": index.carry, "treat": _json(index.treat), "impute": _json(index.impute),
                "normalise": _json(index.normalise), "pooled": index.pooled, "aggregate": index.aggregate,
                "min_available": index.min_available if index.min_available is not None else head.min_available,
                "uncertainty": _json(index.uncertainty), "steps": ",".join(index.steps), "rank_partial": index.rank_partial,
                "titles": json.dumps({lang: pack.text(index.title, lang) for lang in head.languages}, ensure_ascii=False),
                "notes": _by_language(pack, index.note),
            }
        )  # fmt: skip
        root = Component.model_construct(id=index.id, components=index.components, weight=1.0, require=index.require)
        _nodes(index.id, root, None, rows["index_nodes"])
    _add_keys(rows)
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _add_keys(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Add the integers by which the warehouse joins indicators and measures."""
    indicators = integer_keys(row["indicator"] for row in rows["indicators"])
    of_measures = {
        "pack": ["weight"], "indicators": ["interval_n", "interval_sd", "weight"], "terms": ["measure", "times"],
        "measures": ["measure", "weighted_by"], "breaks": ["measure"],
    }  # fmt: skip
    measures = integer_keys(row[c] for table, columns in of_measures.items() for row in rows[table] for c in columns if row[c] is not None)
    for table in ("indicators", "indicator_levels", "terms"):
        for row in rows[table]:
            row["indicator_key"] = indicators[row["indicator"]]
    for table, columns in of_measures.items():
        for row in rows[table]:
            row.update({f"{column}_key": measures.get(row[column]) for column in columns})


def _peer_attributes(peers: Peers, filled: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"attribute": name, "position": i, "kind": "measure" if name in filled else "indicator", "k": peers.k}
        for i, name in enumerate(dict.fromkeys(peers.by))
    ]


def _json(block: Any) -> str | None:
    return None if block is None else json.dumps(block.model_dump(exclude_none=True), sort_keys=True)


def _measures(pack: Pack, rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """Fill the tables of sources and measures; return which sources fill each measure, in the order of file names."""
    filled: dict[str, list[str]] = {}
    everything = sorted({**pack.sources, **pack.counted}.items())
    for position, (name, source) in enumerate(everything):
        fetched = source if isinstance(source, FetchedSource) else None
        rows["sources"].append(
            {
                "source": name, "position": position, "title": pack.text(source.title) or name,
                "publisher": fetched.publisher if fetched else "", "licence": fetched.licence if fetched else "",
                "rights": pack.text(fetched.rights) if fetched else None,
                "carrier": fetched.carrier.name if fetched and fetched.carrier else None,
                "homepage": fetched.homepage if fetched else None, "citation": fetched.citation if fetched else None,
                "confidence": fetched.confidence if fetched else "", "theme": fetched.theme if fetched else "events",
                "kind": fetched.into if fetched else "counted",
            }
        )  # fmt: skip
        specs: dict[str, Any] = {}
        if isinstance(source, FetchedSource) and isinstance(source.map, ObservationsMap):
            specs = dict(source.map.measures)
        elif isinstance(source, CountedSource):
            specs = dict.fromkeys(source.measures)
        if not source.enabled:
            continue
        for measure, spec in specs.items():
            filled.setdefault(measure, []).append(name)
            rows["measures"].append(
                {
                    "measure": measure, "source": name, "additive": spec.additive if spec else True,
                    "divisible": spec.divisible if spec else True,
                    "weighted_by": spec.weighted_by if spec else None, "source_position": position,
                    "has_universe": source.universe is not None,
                    # rows, or what they sum to: no row means none
                    "is_counted": spec is None or (spec.aggregate == "sum" and spec.periods is None),
                    "to_period": spec.periods.to if spec and spec.periods else None,
                    "needed_periods": (spec.periods.need or spec.periods.parts) if spec and spec.periods else None,
                    "mean_of_periods": bool(spec and spec.periods and spec.aggregate == "mean"),
                    "confidential_below": spec.confidential_below if spec else None,
                }
            )  # fmt: skip
        if fetched is not None:
            rows["notes"] += [
                {
                    "note": fetched.note_id(i),
                    "source": name,
                    "position": i,
                    "always": note.always,
                    "is_undefined": note.undefined,
                    "texts": _by_language(pack, note.note),
                }
                for i, note in enumerate(fetched.notes)
            ]
        rows["breaks"] += [
            {
                "measure": b.measure,
                "source": name,
                "period": b.period,
                "note": pack.text(b.note) or None,
                "notes": _by_language(pack, b.note),
            }
            for b in source.breaks
        ]
    return filled


def _indicator(
    pack: Pack, indicator: Indicator, position: int, filled: dict[str, list[str]], rows: dict[str, list[dict[str, Any]]]
) -> None:
    formula = indicator.formula
    terms = [*formula.numerator, *formula.denominator] if formula else []
    used = {m for t in terms for m in (t.measure, t.times) if m is not None}
    weighted = (
        bool(formula)
        and not formula.denominator
        and len(terms) == 1
        and terms[0].at is None
        and _weighted_by(pack, terms[0].measure) is not None
        if formula
        else False
    )
    levels = [level.id for level in pack.file.levels]
    share = formula.share_of_areas if formula else None
    of_value = {
        "multiplier": formula.multiplier if formula else 1.0, "has_denominator": bool(formula and formula.denominator) or weighted,
        "weighted": weighted, "change_kind": formula.change.kind if formula and formula.change else None,
    }  # fmt: skip
    # a share of areas is itself a ratio: of the areas whose value lies below or above the threshold, and of all
    of_share = {"multiplier": 100.0, "has_denominator": True, "weighted": False, "change_kind": None}
    interval, needed = indicator.interval, indicator.needed
    rows["indicators"].append(
        {
            "indicator": indicator.id, "position": position, "objective": indicator.objective, "measure": indicator.measure,
            "field": indicator.field, "unit": pack.text(indicator.unit), "direction": indicator.direction, "target_value": indicator.target_value,
            "decimals": indicator.decimals, "formula": formula_text(indicator), "sdg": indicator.sdg,
            "needed": pack.text(needed.what) if needed else None,
            "rollup": indicator.rollup, **(of_share if share else of_value), **{f"value_{name}": value for name, value in of_value.items()},
            "difference_to": formula.difference_to if formula else None, "is_share": share is not None,
            "share_below": share.below if share else None, "share_above": share.above if share else None,
            "share_by_weight": share is not None and share.of == "weight",
            "missing_zero": bool(formula and formula.missing == "zero"),
            "window_years": formula.window.years if formula and formula.window else None,
            "window_agg": formula.window.agg if formula and formula.window else None,
            "window_min": (formula.window.min or formula.window.years) if formula and formula.window else None,
            "change_years": formula.change.years if formula and formula.change else None,
            "by_sex": "sex" in indicator.by, "by_age": "age" in indicator.by,
            "last_level": (indicator.levels or levels)[-1],
            "titles": _by_language(pack, indicator.title), "descriptions": _by_language(pack, indicator.description),
            "units": _by_language(pack, indicator.unit), "needs": _by_language(pack, needed.what if needed else None),
            "suppliers": _by_language(pack, needed.supplier if needed else None),
            "display": indicator.display, "depends_on_size": indicator.depends_on_size,
            "sources": ";".join(pack.with_looked_up({s for m in used for s in filled.get(m, [])})),
            "interval_kind": interval.kind if interval else None, "interval_n": interval.n if interval else None,
            "interval_sd": interval.sd if interval else None, "weight": _weight(pack, indicator),
            "is_change": formula is not None and is_change(formula),
            "dispersion": not _is_count(indicator, rows) if indicator.dispersion is None else indicator.dispersion,
            "confidential_below": indicator.confidential_below, "protected_with": None,
        }
    )  # fmt: skip
    rows["indicator_levels"] += [{"indicator": indicator.id, "level": level} for level in dict.fromkeys(indicator.levels or levels[-1:])]
    spans = dict.fromkeys((first, last) for first, last in indicator.convergence or [])
    rows["convergence_spans"] += [{"indicator": indicator.id, "first_period": first, "last_period": last} for first, last in spans]
    for side, part in (("numerator", formula.numerator), ("denominator", formula.denominator)) if formula else ():
        for i, term in enumerate(part):
            rows["terms"].append(
                {"indicator": indicator.id, "side": side, "position": i, **term.model_dump(exclude={"at"}), "at_level": term.at}
            )
    if formula and weighted:
        # a weighted measure is the ratio sum(weight * value) / sum(weight): the weight stands as its denominator
        term = formula.numerator[0]
        weight = _weighted_by(pack, term.measure)
        rows["terms"].append(
            {"indicator": indicator.id, "side": "weight", "position": 0, "measure": weight, "times": None, "factor": 1.0,
             "sex": term.sex, "age": term.age, "lag": term.lag, "at_level": None}
        )  # fmt: skip


def _is_count(indicator: Indicator, rows: Mapping[str, list[dict[str, Any]]]) -> bool:
    """Whether the value is an absolute number that adds up over areas: sums of additive measures without a denominator."""
    formula = indicator.formula
    if formula is None or formula.denominator or formula.share_of_areas or formula.difference_to or indicator.rollup == "reported":
        return False
    if formula.change is not None and formula.change.kind != "difference":
        return False
    not_additive = {row["measure"] for row in rows["measures"] if not row["additive"]}
    return not any(term.measure in not_additive for term in formula.numerator)


def is_change(formula: Formula) -> bool:
    """Whether a value is a change or a difference, whose own growth has no meaning near 0.

    The formula declares one, subtracts terms (what a measure was in another year, deaths from births), or divides what a measure is by what it
    was in another year.
    """

    def is_of_another_year(a: Term, b: Term) -> bool:
        return (a.measure, a.times, a.at) == (b.measure, b.times, b.at) and a.lag != b.lag

    subtracts = any(a.factor * b.factor < 0 for side in (formula.numerator, formula.denominator) for a in side for b in side)
    divides_years = any(is_of_another_year(a, b) for a in formula.numerator for b in formula.denominator)
    return formula.change is not None or formula.difference_to is not None or subtracts or divides_years


def _weight(pack: Pack, indicator: Indicator) -> str | None:
    """Return what weighs the areas of an indicator; None where each of them counts once."""
    weight = indicator.weight or pack.file.weight
    return None if weight == AREAS else weight


def _by_language(pack: Pack, texts: dict[str, str] | None) -> str:
    """Return an object of JSON with the text in each language of the pack, empty where there is none."""
    return json.dumps({language: pack.text(texts, language) for language in pack.file.languages}, ensure_ascii=False)


def _weighted_by(pack: Pack, measure: str) -> str | None:
    for source in pack.sources.values():
        if isinstance(source.map, ObservationsMap) and measure in source.map.measures:
            return source.map.measures[measure].weighted_by
    return None


def formula_text(indicator: Indicator) -> str:
    """Return the formula in one line of words and signs."""
    formula = indicator.formula
    if formula is None:
        return ""

    def term(t: Term) -> str:
        marks = [f"sex {t.sex}"] * (t.sex is not None) + [f"age {t.age}"] * (t.age is not None) + [f"{t.lag} years before"] * (t.lag > 0)
        text = t.measure + (f" at level {t.at}" if t.at else "") + (f" * {t.times}" if t.times else "")
        text += f" [{', '.join(marks)}]" if marks else ""
        return text if t.factor == 1 else f"{t.factor:g} * {text}"

    def side(terms: list[Term]) -> str:
        text = " + ".join(term(t) for t in terms)
        return f"({text})" if len(terms) > 1 else text

    text = side(formula.numerator) + (f" / {side(formula.denominator)}" if formula.denominator else "")
    if formula.multiplier != 1:
        text = f"{formula.multiplier:g} * {text}"
    if formula.window:
        text += f"; {formula.window.agg} over {formula.window.years} years, at least {formula.window.min or formula.window.years}"
    if formula.change:
        text += f"; {formula.change.kind} change over {formula.change.years} years"
    if formula.missing:
        text += "; missing is zero"
    if formula.share_of_areas:
        share = formula.share_of_areas
        limit = f"below {share.below:g}" if share.below is not None else f"above {share.above:g}"
        text = f"100 * share of {'areas' if share.of == 'areas' else 'the weight of areas'} with a value {limit}, the value being {text}"
    if formula.difference_to:
        text += f"; less that of the area of level {formula.difference_to}"
    return text


def _nodes(index_id: str, node: Component, parent: str | None, rows: list[dict[str, Any]], required: bool = False) -> None:
    leaf = node.indicator is not None
    name = f"{parent}/{node.indicator}" if leaf else str(node.id)
    bounds = getattr(node, "bounds", None) or [None, None]
    normalise: Normalise | None = getattr(node, "normalise", None)
    rows.append(
        {
            "index_id": index_id, "node": name, "parent": parent, "position": len(rows), "indicator": node.indicator if leaf else None,
            "weight": node.weight, "bound_worst": bounds[0], "bound_best": bounds[1], "direction": getattr(node, "direction", None),
            "normalise": _json(normalise), "aggregate": getattr(node, "aggregate", None), "required": required,
        }
    )  # fmt: skip
    for child in [] if leaf else node.components:
        _nodes(index_id, child, name, rows, node.require == "all" or (child.indicator or child.id) in (node.require or []))

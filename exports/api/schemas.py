"""JSON Schemas of the files for programs, by name, as OpenAPI 3.1 has them. Members may be added to a file; none is taken away in `v1`."""

from __future__ import annotations

from typing import Any

from exports.api import cohesion, positions
from exports.api.comparisons import NOT_COMPARED

Schema = dict[str, Any]

NUMBER: Schema = {"type": ["number", "null"]}
COUNT: Schema = {"type": ["integer", "null"]}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
AREA: Schema = {"type": "integer", "minimum": 0, "description": "Number of an area: its place in the columns of areas.json"}
STATUS: Schema = {
    "type": "string",
    "pattern": r"^[A-Z.]*$",
    "description": "A letter of the code list of statuses per cell, in their order; a point where the tables have no row",
}
PLACES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": items, **({"description": description} if description else {})}


def mapping(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


def record(description: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "description": description, "properties": {**required, **(optional or {})}, "required": list(required)}


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


TEXTS = mapping(TEXT, "A text by language; languages without the text are left out")
COLUMN = array(NUMBER, "A number per area")
MATRIX = array(array(NUMBER))

_NOTES = array(ref("NotedCells"), "Notes of sources on cells")
_SEX_AND_AGE = {"sex": described(TEXT, "M men, F women, _T total"), "age": described(TEXT, "Age group; _T total")}
_LEVEL_RANGE = {
    "level": described(TEXT, "The level of the areas"),
    "first": described(AREA, "Number of the first area of the level; the others follow in the order of areas.json"),
    "count": {"type": "integer", "minimum": 1, "description": "Number of areas of the level"},
}
_OUTCOMES = ["better", "worse", "higher", "lower", "similar", "no_value", "no_interval", "too_few", "no_reference", NOT_COMPARED, None]
_TRENDS = ["increasing", "decreasing", "no significant change", None]


def _cells(shape: Schema, status: Schema, what: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the members of cells that are always there, and those that may be left out."""
    always = {
        **_SEX_AND_AGE,
        "value": described(shape, f"{what}, rounded to the decimals of the indicator; null if missing"),
        "status": status,
    }
    optional = {
        "lower": described(shape, "Lower ends of the 95 % intervals, rounded; left out if no cell has one"),
        "upper": described(shape, "Upper ends of the 95 % intervals, rounded; left out if no cell has one"),
        "numerator": described(shape, "Numerators as in the tables; left out if no cell has one"),
        "denominator": described(shape, "Denominators as in the tables; left out if no cell has one"),
    }
    return always, optional


def schemas() -> dict[str, Schema]:
    """Return all schemas by name."""
    return {**_common(), **_lists(), **_indicator_files(), **_places(), **_others()}


def _common() -> dict[str, Schema]:
    return {
        "NotedCells": record(
            "A note on the cells of some areas in one period. The text is in `notes` of indicators.json",
            {
                "note": described(TEXT, "Identifier of the note"),
                "period": {"type": "integer", "minimum": 0, "description": "Place of the period in `periods`"},
                "areas": described(PLACES, "Places of the areas in the columns of this file"),
            },
        ),
        "Compared": record(
            "Comparisons of the newest values with a reference, as in the table `comparisons`",
            {
                "reference": described(COLUMN, "Value of the reference, rounded like the value"),
                "outcome": array(
                    {"type": ["string", "null"], "enum": _OUTCOMES},
                    "better or worse in the direction of the indicator, higher or lower without one, similar if chance alone may explain the "
                    "difference, or the reason why it is not compared; null without a row",
                ),
                "significance": described(COLUMN, "The widest interval that the reference lies outside of, 99.8 or 95; null if in both"),
            },
        ),
        "Comparisons": record("By what is compared with", {}, {"country": ref("Compared"), "peers": ref("Compared")}),
    }


def _lists() -> dict[str, Schema]:
    return {
        "Index": record(
            "index.json: the release and its files",
            {
                "api": described(TEXT, "Version of this interface"),
                "version": described(TEXT, "Version of the release"),
                "released": {"type": "string", "format": "date-time"},
                "pack": TEXT, "title": TEXTS, "publisher": TEXTS, "licence": described(TEXT, "SPDX identifier, or NOASSERTION"),
                "languages": array(TEXT), "country": TEXT,
                "statuses": mapping(ref("StatusName"), "The code list of statuses"),
                "sexes": mapping(TEXTS, "The code list of sexes"),
                "indicators": array(TEXT, "Indicators with a value: indicators/<id>.json and indicators/<id>/series.json"),
                "cohesion": array(TEXT, "Indicators with differences inside territories: cohesion/<id>.json"),
                "indices": array(ref("IndexAbout"), "Indices: indices/<id>.json"),
                "bundles": array(TEXT, "Bundles of areas: areas/<bundle>.json"),
            },
        ),
        "StatusName": record(
            "A status of a cell",
            {"name": TEXTS, "explanation": TEXTS, "has_value": {"type": "boolean"}},
        ),
        "Areas": record(
            "areas.json: all areas. Other files name an area by its number, the place in these columns",
            {
                "levels": array(record("A level; its areas are consecutive, areas of today first", {**_LEVEL_RANGE, "title": TEXTS})),
                "bundles": array(TEXT, "Names of bundles"),
                "areas": ref("AreaColumns"),
            },
        ),
        "AreaColumns": record(
            "Columns with an element per area",
            {
                "code": array(TEXT, "Codes, `ref_area` in the tables"),
                "name": array(TEXT_OR_NULL), "country": array(TEXT_OR_NULL, "ISO 3166-1 alpha-2 codes"),
                "parent": array(COUNT, "Number of the area above inside which the area is compared, such as the district of a municipality"),
                "parents": array(PLACES, "Numbers of all areas directly above"),
                "population": array(NUMBER, "Newest value of the indicator `population`; null without one"),
                "lon": array(NUMBER, "Longitude of a point, degrees"), "lat": array(NUMBER, "Latitude of a point, degrees"),
                "area_km2": array(NUMBER, "Surface, km²"),
                "valid_from": array(TEXT_OR_NULL, "First day; null if open"),
                "valid_to": array(TEXT_OR_NULL, "First day after the validity; null for an area of today"),
                "bundle": array({"type": "integer", "minimum": 0}, "Place in `bundles` of the bundle with the values of the area"),
            },
        ),
        "Indicators": record(
            "indicators.json: all indicators, also those without a value, the sources, and the notes of sources",
            {
                "indicators": array(ref("IndicatorAbout")), "sources": array(ref("Source")),
                "notes": mapping(record("A note of a source", {"text": TEXTS, "source": TEXT}), "Notes by identifier"),
            },
        ),
        "Source": record(
            "A source with its licence",
            {
                "source": TEXT, "title": TEXTS, "publisher": TEXTS, "licence": TEXT, "licence_url": TEXT_OR_NULL, "homepage": TEXT_OR_NULL,
                "rights": described(TEXTS, "Terms of use that the source or its declaration states beside the licence"),
                "carrier": described(TEXT_OR_NULL, "Who passed the file on, if not the publisher"),
                "citation": TEXTS,
            },
        ),
        "IndicatorAbout": record(
            "An indicator",
            {
                "indicator": described(TEXT, "Identifier"), "title": TEXTS, "description": TEXTS, "unit": TEXTS,
                "needed": described(TEXTS, "Data that the indicator needs and that are not collected"),
                "supplier": described(TEXTS, "Who could supply them"),
                "objective": TEXT_OR_NULL, "measure": TEXT_OR_NULL, "field": TEXT_OR_NULL,
                "direction": described(TEXT_OR_NULL, "higher_better, lower_better, target or none"),
                "target_value": NUMBER, "decimals": described(COUNT, "Decimals of published values; null for values as they are"),
                "formula": TEXT_OR_NULL,
                "inputs": mapping(TEXTS, "Names of the measures of the formula, by measure"),
                "sdg": TEXT_OR_NULL, "display": described(TEXT_OR_NULL, "headline or more"),
                "change_years": described(COUNT, "Years between the two values of an indicator of change; null for others"),
                "depends_on_size": {"type": "boolean", "description": "Only areas of a similar size compare"},
                "sources": array(TEXT, "Identifiers of sources"),
                "breaks": array(record("A break of the series", {"period": TEXT, "source": TEXT, "note": TEXTS})),
                "group": {
                    "anyOf": [ref("GroupRule"), {"type": "null"}],
                    "description": "How the value of a group of areas is computed; null if numerators and denominators do not give it",
                },
                "has_interval": {"type": "boolean"},
                "periods": array(TEXT, "All periods, in the order of time"),
                "levels": array(ref("IndicatorLevel"), "Levels with rows"),
            },
        ),
        "GroupRule": record(
            "The value of a group of areas that do not overlap. ratio: multiplier times the sum of numerators over the sum of denominators; sum: "
            "multiplier times the sum of numerators. All areas of the group must have a value",
            {"kind": {"type": "string", "enum": ["ratio", "sum"]}, "multiplier": {"type": "number"}},
        ),
        "IndicatorLevel": record(
            "Where an indicator has rows",
            {
                "level": TEXT, "newest": described(TEXT_OR_NULL, "Last period in which the level has a value of the total"),
                "periods": array(TEXT), "breakdowns": array(record("A sex and an age group", _SEX_AND_AGE)),
            },
        ),
    }  # fmt: skip


def _indicator_files() -> dict[str, Schema]:
    return {
        "IndicatorNewest": record(
            "indicators/<id>.json: an indicator and its newest values in all areas",
            {"about": ref("IndicatorAbout"), "levels": array(ref("NewestLevel"))},
        ),
        "NewestLevel": record(
            "The newest values of a level. Columns have an element per area of the level",
            {
                **_LEVEL_RANGE, "period": TEXT, "spread": array(ref("Spread")),
                "breakdowns": array(record("Cells of a sex and an age group", *_cells(COLUMN, STATUS, "Values"))),
            },
            {"comparisons": ref("Comparisons")},
        ),
        "Spread": record(
            "How the values of the areas of a country are distributed",
            {
                "country": TEXT, "areas": {"type": "integer", "description": "Number of areas with a value"},
                "quantiles": array(NUMBER, f"Quantiles {', '.join(f'{q:g}' for q in positions.QUANTILES)}, rounded like the values"),
            },
        ),
        "Series": record(
            "indicators/<id>/series.json: all values of an indicator",
            {"indicator": TEXT, "levels": array(ref("SeriesLevel"))},
        ),
        "SeriesLevel": record(
            "The series of a level. Matrices have a list per period with an element per area of the level",
            {**_LEVEL_RANGE, "periods": array(TEXT), "breakdowns": array(ref("SeriesCells"))},
        ),
        "SeriesCells": record("Cells of a sex and an age group", *_series_cells()),
    }  # fmt: skip


def _series_cells() -> tuple[dict[str, Schema], dict[str, Schema]]:
    always, optional = _cells(MATRIX, array(STATUS, "A text per period"), "A list per period with a value per area")
    return {**always, "notes": _NOTES}, optional


def _places() -> dict[str, Schema]:
    always, optional = _cells(MATRIX, array(STATUS, "A text per area"), "A list per area with a value per period")
    shown = {name: optional[name] for name in ("lower", "upper")}
    positions_of = {
        "below": array(COUNT, "Number of other areas with a lower value; null without a value of its own"),
        "equal": array(COUNT, "Number of other areas with the same value; null without a value of its own"),
    }
    return {
        "Bundle": record(
            "areas/<bundle>.json: all values of at most 20 areas of one level with the same area above",
            {
                "bundle": TEXT, "level": TEXT, "parent": described(COUNT, "Number of the area above; null at the top"),
                "areas": array(AREA, "Numbers of the areas"), "codes": array(TEXT), "names": array(TEXT_OR_NULL),
                "peers": array(array(AREA), "For each area the numbers of its peers, nearest first"),
                "indicators": array(ref("BundleIndicator")), "indices": array(ref("BundleIndex")),
            },
        ),
        "BundleIndicator": record(
            "An indicator in the areas of a bundle. `newest` and what is left out without it are about the total in the newest period of the level",
            {
                "indicator": TEXT, "newest": TEXT_OR_NULL, "periods": array(TEXT),
                "breakdowns": array(record("Series of a sex and an age group", always, {**shown, "notes": _NOTES})),
            },
            {
                "numerator": COLUMN, "denominator": COLUMN, "positions": ref("Positions"),
                "quantiles": array(NUMBER, "How the values of the level in the country are distributed, as in indicators/<id>.json"),
                "above": record("The values of the areas above in the period `newest`", {}, {"parent": ref("Above"), "country": ref("Above")}),
                "comparisons": ref("Comparisons"), "trends": ref("Trends"),
            },
        ),
        "Above": record("The value of an area above", {"area": AREA, "value": NUMBER, "lower": NUMBER, "upper": NUMBER, "status": STATUS}),
        "Positions": record(
            "Where each newest value stands among the published values of other areas of its level in the same period, before rounding: those "
            "with the same area above, its peers, and those of the country. Higher are `others` less `below` less `equal`",
            {
                "parent": ref("GroupPosition"), "country": ref("GroupPosition"),
                "peers": record("Positions among peers", {**positions_of, "others": array(COUNT, "Number of peers with a value")}),
            },
        ),
        "GroupPosition": record(
            "Positions in a group that all areas of the bundle have in common",
            {**positions_of, "others": {"type": "integer", "minimum": 0, "description": "Number of other areas with a value"}},
        ),
        "Trends": record(
            "Trends of the total as in the table `trends`, only those that were assessed",
            {
                "first": array(TEXT_OR_NULL), "last": array(TEXT_OR_NULL),
                "trend": array({"type": ["string", "null"], "enum": _TRENDS}),
                "direction": array({"type": ["string", "null"], "enum": ["better", "worse", None]}),
            },
        ),
        "BundleIndex": record(
            "The newest scores of an index",
            {"index": TEXT, "period": TEXT, "scores": array(record("Scores of a component", *_scores(COLUMN, STATUS)))},
        ),
    }  # fmt: skip


def _scores(shape: Schema, status: Schema) -> tuple[dict[str, Schema], dict[str, Schema]]:
    always = {
        "component": described(TEXT, "Component, or the index itself under its own identifier"),
        "score": shape,
        "fifth": described(shape, "Fifth of the ranked areas; 1 is the best"),
        "fifth_low": described(shape, "Best fifth that other weights, normalisations and sets of indicators give"),
        "fifth_high": described(shape, "Worst fifth that they give"),
        "n_available": shape,
        "n_expected": shape,
        "peer_percentile": described(shape, "Share of peers with a lower score, peers with an equal score counted half"),
        "status": status,
    }
    return always, {name: described(shape, "Only if the index is rankable") for name in ("rank", "rank_low", "rank_high")}


def _others() -> dict[str, Schema]:
    always, ranks = _scores(MATRIX, array(STATUS, "A text per period"))
    inputs = {name: array(array(TEXT_OR_NULL)) for name in ("oldest_input", "newest_input")}
    return {
        "IndexAbout": record(
            "An index",
            {
                "index": TEXT, "title": TEXTS, "note": TEXTS, "objective": TEXT_OR_NULL, "level": TEXT,
                "rankable": {"type": "boolean", "description": "Whether ranks hold; otherwise only fifths are shown"},
                "periods": array(TEXT), "components": array(TEXT),
            },
        ),
        "IndexFile": record(
            "indices/<id>.json: the scores of all areas of its level. Matrices have a list per period with an element per area",
            {
                "about": ref("IndexAbout"), "first": AREA, "count": {"type": "integer"},
                "scores": array(record("Scores of a component", {**always, **inputs}, ranks)),
                "inputs": array(ref("IndexInput"), "What the newest scores are made from"),
            },
        ),
        "IndexInput": record(
            "The values of an indicator in an index, with an element per area",
            {
                "component": TEXT, "indicator": TEXT, "weight": NUMBER, "period": array(TEXT_OR_NULL),
                "raw": described(COLUMN, "Value of the indicator, to 6 significant digits"), "normalised": COLUMN, "status": STATUS,
                "imputed": described(PLACES, "Places of the areas whose value is imputed"),
            },
        ),
        "Cohesion": record(
            "cohesion/<id>.json: how much the areas inside a territory differ, and whether the differences close",
            {
                "indicator": TEXT, "periods": array(TEXT), "dispersion": array(ref("Dispersion")), "convergence": array(ref("Convergence")),
            },
        ),
        "Dispersion": record(
            f"The dispersion inside one area, with an element per period. Statistics: {', '.join(cohesion.STATISTICS)}. Six significant digits",
            {
                "within": AREA, "of_level": TEXT, "by_level": TEXT_OR_NULL, "sex": TEXT,
                "statistics": mapping(array(NUMBER), "Values by statistic; a statistic without any value is left out"),
                "n": array(COUNT, "Number of areas with a value"), "coverage": array(NUMBER, "n as a share of all areas, 4 significant digits"),
                "status": STATUS, "status_of": mapping(STATUS, "Status of the statistics whose status differs from `status`"),
            },
        ),
        "Convergence": record(
            "Whether differences inside an area close between two periods, to six significant digits",
            {
                "within": AREA, "of_level": TEXT, "sex": TEXT, "first_period": TEXT, "last_period": TEXT, "n": COUNT,
                "statistics": mapping(NUMBER, "Values by statistic"), "status": mapping(STATUS, "Status by statistic"),
            },
        ),
        "ObjectiveMeasures": record(
            "objective_measures.json: the measures of objectives, what is known about them, and what is missing",
            {
                "objectives": array(record("An objective", {"objective": TEXT, "title": TEXTS})), "measures": array(ref("Measure")),
            },
        ),
        "Measure": record(
            "A measure of an objective, or the objective as a whole if `measure` is null",
            {
                "objective": TEXT, "measure": TEXT_OR_NULL, "title": TEXTS, "indicators": COUNT, "indicators_with_data": COUNT,
                "areas": described(COUNT, "Number of areas of today with a value, at the finest level that has any"),
                "newest_period": TEXT_OR_NULL, "needed": TEXTS, "indicator_ids": array(TEXT),
            },
        ),
    }  # fmt: skip

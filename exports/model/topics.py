"""The data sets of a release, as readers look for them: by topic. Catalogues, files, landing pages and feeds are made from this model.

A pack declares topics by their indicators. Every release adds the data sets of FURTHER that have rows. All other tables describe these data
sets and are none themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

INDICATORS = "indicator_values"
"""The table with the values of a topic's indicators."""
EVERYTHING = "release"
"""The id of the data set that is the whole release. No topic can have it."""


@dataclass(frozen=True)
class Topic:
    """A data set. `titles`, `descriptions` and `keywords` are by language; `theme` is an entry of the EU's list of data themes.

    `indicators` are the ids of its indicators, in the order of the pack; a data set of FURTHER has none. `tables` are the tables with its
    rows: those of its indicators in `indicator_values`, or all rows of other tables.
    """

    id: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]
    theme: str
    indicators: tuple[str, ...] = ()
    tables: tuple[str, ...] = (INDICATORS,)

    @property
    def is_by_indicator(self) -> bool:
        """Whether the data set consists of values of indicators, and so has files of its own."""
        return bool(self.indicators)


FURTHER: tuple[Topic, ...] = (
    Topic(
        "indices",
        {
            "en": "Indices of sustainability and community",
            "cs": "Indexy udržitelnosti a komunitního života",
            "sk": "Indexy udržateľnosti a komunitného života",
        },
        {
            "en": "Composite indices: the score of each area, its components and weights, and how the results change with another method.",
            "cs": "Souhrnné indexy: skóre každého území, jeho složky a váhy, a jak se výsledky změní při jiném postupu výpočtu.",
            "sk": "Súhrnné indexy: skóre každého územia, jeho zložky a váhy, a ako sa výsledky zmenia pri inom postupe výpočtu.",
        },
        {
            "en": (
                "index",
                "indices",
                "composite indicators",
                "score",
                "ranking",
                "sustainability",
                "sustainable development",
                "community",
            ),
            "cs": (
                "index",
                "indexy",
                "souhrnné ukazatele",
                "skóre",
                "pořadí",
                "žebříček",
                "udržitelnost",
                "udržitelný rozvoj",
                "komunitní život",
            ),
            "sk": (
                "index",
                "indexy",
                "súhrnné ukazovatele",
                "skóre",
                "poradie",
                "rebríček",
                "udržateľnosť",
                "udržateľný rozvoj",
                "komunitný život",
            ),
        },
        "REGI",
        tables=("indices", "sustainability", "community", "index_components", "index_sensitivity"),
    ),
    Topic(
        "cohesion",
        {"en": "Territorial cohesion", "cs": "Soudržnost území", "sk": "Súdržnosť území"},
        {
            "en": "How much the values of indicators differ between areas, and whether these disparities grow or shrink over time: the Gini "
            "coefficient, the Theil index, sigma and beta convergence.",
            "cs": "Jak moc se hodnoty ukazatelů liší mezi územími a zda se tyto rozdíly v čase zvětšují, nebo zmenšují: Giniho koeficient, Theilův "
            "index, sigma a beta konvergence.",
            "sk": "Ako veľmi sa hodnoty ukazovateľov líšia medzi územiami a či sa tieto rozdiely v čase zväčšujú, alebo zmenšujú: Giniho "
            "koeficient, Theilov index, sigma a beta konvergencia.",
        },
        {
            "en": (
                "territorial cohesion",
                "regional disparities",
                "inequality",
                "dispersion",
                "convergence",
                "Gini coefficient",
                "Theil index",
            ),
            "cs": (
                "soudržnost",
                "regionální rozdíly",
                "rozdíly mezi územími",
                "nerovnost",
                "disperze",
                "konvergence",
                "Giniho koeficient",
                "Theilův index",
            ),
            "sk": (
                "súdržnosť",
                "regionálne rozdiely",
                "rozdiely medzi územiami",
                "nerovnosť",
                "disperzia",
                "konvergencia",
                "Giniho koeficient",
                "Theilov index",
            ),
        },
        "REGI",
        tables=("cohesion_dispersion", "cohesion_convergence"),
    ),
    Topic(
        "gender_gaps",
        {"en": "Gaps between women and men", "cs": "Rozdíly mezi ženami a muži", "sk": "Rozdiely medzi ženami a mužmi"},
        {
            "en": "The values of indicators for women and for men, their difference and their ratio, by area.",
            "cs": "Hodnoty ukazatelů za ženy a za muže, jejich rozdíl a poměr, podle území.",
            "sk": "Hodnoty ukazovateľov za ženy a za mužov, ich rozdiel a pomer, podľa územia.",
        },
        {
            "en": ("women", "men", "gender", "gender gap", "gender equality", "equality of women and men"),
            "cs": ("ženy", "muži", "gender", "genderové rozdíly", "rovnost žen a mužů", "rovnost pohlaví"),
            "sk": ("ženy", "muži", "gender", "rodové rozdiely", "rovnosť žien a mužov", "rovnosť pohlaví"),
        },
        "SOCI",
        tables=("gender_gaps",),
    ),
    Topic(
        "territory",
        {
            "en": "Areas, their codes and similar areas",
            "cs": "Území, jejich kódy a podobná území",
            "sk": "Územia, ich kódy a podobné územia",
        },
        {
            "en": "The areas of all levels with names, periods of validity, points, codes in other lists, the areas above them and similar areas.",
            "cs": "Území všech úrovní s názvy, dobou platnosti, souřadnicemi, kódy v jiných číselnících, nadřazenými a podobnými územími.",
            "sk": "Územia všetkých úrovní s názvami, dobou platnosti, súradnicami, kódmi v iných číselníkoch, nadradenými a podobnými územiami.",
        },
        {
            "en": ("areas", "territory", "municipalities", "districts", "regions", "codes of areas", "hierarchy", "similar areas"),
            "cs": ("území", "obce", "okresy", "kraje", "číselník obcí", "kódy území", "nadřazená území", "podobná území"),
            "sk": ("územia", "obce", "okresy", "kraje", "číselník obcí", "kódy území", "nadradené územia", "podobné územia"),
        },
        "REGI",
        tables=("areas", "area_parents", "area_codes", "peers"),
    ),
)
"""The data sets of every release, in English, Czech and Slovak. Their tables are published whole."""
RESERVED = frozenset({EVERYTHING, *(topic.id for topic in FURTHER)})
"""Ids that a pack cannot give to its topics."""


def data_sets(topics: Sequence[Topic], valued: Collection[str], rows: Mapping[str, int]) -> tuple[Topic, ...]:
    """Return the data sets of a release: the topics with values, then those of FURTHER with rows.

    `valued` are the indicators that have a value, `rows` the number of rows of each table. Indicators without values and tables without
    rows are left out of the data sets.
    """
    by_indicator = (replace(topic, indicators=tuple(name for name in topic.indicators if name in valued)) for topic in topics)
    further = (replace(topic, tables=tuple(table for table in topic.tables if rows.get(table))) for topic in FURTHER)
    return (*(topic for topic in by_indicator if topic.indicators), *(topic for topic in further if topic.tables))

"""The published table `changes` and its view `revisions`: columns and descriptions. Holds no data and reads no files."""

from __future__ import annotations

from exports.model.provenance import BOUNDARY, CORRECTED, EXTENDED, METHOD, REVISED
from exports.model.tables import Column, Table, View

NEW, WITHDRAWN = "new", "withdrawn"
KINDS = {METHOD: "method", BOUNDARY: "boundary", REVISED: "source revised", CORRECTED: "corrected", EXTENDED: "source revised"}
ALL_KINDS = ("source revised", "corrected", "method", "boundary", NEW, WITHDRAWN)
REVISED_TABLE = "indicator_values"
WHOLE = ""
"""In `column`: the whole row, or with the key `{}` the whole table."""
WHOLE_KEY = "{}"

_COLUMN = "The changed column. Empty if the whole row is new or withdrawn or, with the key {}, if the table has too many changes to list"
_KIND = (
    "source revised: the file of a source changed; corrected: declared corrections changed; method: the declaration or the software changed; "
    "boundary: the extent of the area changed; new or withdrawn: the whole row. The most specific reason is given"
)
_TEXT = "value as in the CSV file; null if it is missing. For a whole row: its other columns as JSON. A negative number has an apostrophe before it"
_OLD, _NEW = f"The old {_TEXT}", f"The new {_TEXT}"
_COLUMN_CS = (
    "Změněný sloupec. Prázdné, pokud je celý řádek nový nebo stažený, nebo s klíčem {}, pokud má tabulka příliš mnoho změn, než aby je bylo možné "
    "vypsat"
)
_KIND_CS = (
    "source revised: změnil se soubor zdroje; corrected: změnily se deklarované opravy; method: změnila se deklarace nebo software; boundary: "
    "změnil se rozsah území; new nebo withdrawn: celý řádek je nový nebo stažený. Uvádí se nejurčitější důvod"
)
_TEXT_CS = "hodnota jako v souboru CSV; null, pokud chybí. U celého řádku jeho ostatní sloupce jako JSON. Před záporným číslem je apostrof"
_OLD_CS, _NEW_CS = f"Stará {_TEXT_CS}", f"Nová {_TEXT_CS}"
_FROM = "The version of the release compared with, which is the previous one"

TABLE = Table(
    "changes",
    "Every difference from the previous release. One row per changed cell, per new row and per withdrawn row. Does not cover the views "
    "latest_values and revisions. Empty in a first release.",
    (
        Column("table", "VARCHAR", "The table", translations={"cs": "Tabulka"}),
        Column(
            "key",
            "VARCHAR",
            "Key of the row: its key columns in their order, as a JSON object without spaces",
            translations={"cs": "Klíč řádku: jeho klíčové sloupce v jejich pořadí, jako objekt JSON bez mezer"},
        ),
        Column("column", "VARCHAR", _COLUMN, translations={"cs": _COLUMN_CS}),
        Column("kind", "VARCHAR", _KIND, translations={"cs": _KIND_CS}),
        Column("old", "VARCHAR", _OLD, translations={"cs": _OLD_CS}),
        Column("new", "VARCHAR", _NEW, translations={"cs": _NEW_CS}),
        Column("from_version", "VARCHAR", _FROM, translations={"cs": "Vydání, se kterým se srovnává, tedy předchozí"}),
    ),
    ("table", "key", "column"),
    translations={
        "cs": "Všechny rozdíly oproti předchozímu vydání. Jeden řádek za změněnou buňku, za nový řádek a za stažený řádek. Nezahrnuje pohledy "
        "latest_values a revisions. V prvním vydání je prázdná.",
        "sk": "Všetky rozdiely oproti predchádzajúcemu vydaniu, hodnota po hodnote.",
    },
)

REVISIONS = View(
    "revisions",
    f"The rows of changes about {REVISED_TABLE}, with their keys also as columns. Only in the DuckDB file.",
    TABLE.name,
    {column: f'"{column.name}"' for column in TABLE.columns}
    | {
        Column("indicator", "VARCHAR", "The indicator", translations={"cs": "Ukazatel"}): "key ->> '$.indicator'",
        Column("ref_area", "VARCHAR", "The area", translations={"cs": "Území"}): "key ->> '$.ref_area'",
        Column("time_period", "VARCHAR", "The period", translations={"cs": "Období"}): "key ->> '$.time_period'",
        Column("sex", "VARCHAR", "M men, F women, _T total", translations={"cs": "M muži, F ženy, _T celkem"}): "key ->> '$.sex'",
        Column("age", "VARCHAR", "Age group; _T total", translations={"cs": "Věková skupina; _T celkem"}): "key ->> '$.age'",
        Column(
            "old_number",
            "DOUBLE",
            "The old value as a number, if it is one",
            translations={"cs": "Stará hodnota jako číslo, pokud je číslem"},
        ): "try_cast(ltrim(old, '''') as double)",
        Column(
            "new_number",
            "DOUBLE",
            "The new value as a number, if it is one",
            translations={"cs": "Nová hodnota jako číslo, pokud je číslem"},
        ): "try_cast(ltrim(new, '''') as double)",
    },
    f"\"table\" = '{REVISED_TABLE}'",
)
VIEWS = (REVISIONS,)

"""The pack of `rules_pack`, with an index, peers, area changes and a declared convergence, of which a test changes one thing at a time."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import rules_pack

COMPONENTS = ("per_area", "ratio", "window_of_two", "living")
INDEX = {
    "id": "mix", "title": "Mix", "objective": "ZPO2-3", "level": "town", "period": "latest", "max_age": 20, "aggregate": "arithmetic",
    "normalise": {"method": "minmax", "scale": [0, 100]}, "min_available": 0.5,
    "components": [{"indicator": name, "direction": "higher_better"} for name in COMPONENTS],
    "uncertainty": {"replicates": 20, "seed": 1, "vary": ["weights"]},
}  # fmt: skip
CHANGES = {
    "id": "changes", "title": "changes", "publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "into": "area_changes",
    "fetch": {"url": "data/changes.csv"}, "read": {"format": "csv"},
    "columns": {"from": {"required": True}, "to": {"required": True}, "on": {"type": "date", "required": True}},
    "map": {"from": '"from"', "to": '"to"', "on": '"on"'},
}  # fmt: skip
WITHOUT_CHANGES = "from,to,on\n"
WITH_CHANGES = "from,to,on\nold,new,2011-01-01\n"
ACCEPT = ("--accept", "values:empty_indicators", "--reason", "two of the rules are about formulas whose terms never meet")
"""The options with which a run publishes the pack."""
TABLES = ("figures", "others", "grants", "subsidies")


class ChangingPack:
    """The pack in a folder. Every method that a test calls changes one thing of it, chosen by `random`."""

    def __init__(self, folder: Path) -> None:
        self.folder = rules_pack.write(folder)
        self.indicators: list[dict[str, Any]] = self._json("indicators/all.yml")
        next(i for i in self.indicators if i["id"] == "growth")["convergence"] = [["2017", "2021"]]
        self._write("indicators/all.yml", self.indicators)
        header, rows = self._table("figures")
        # a weighted measure of an area that changes
        rows += [["mean_age", "2010", "old", "_T", "_T", "20", "A"], ["residents", "2010", "old", "_T", "_T", "5", "A"]]
        self._write_table("figures", header, rows)
        self._write("indices/mix.yml", INDEX)
        self._write("sources/changes.yml", CHANGES)
        self._write("pack.yml", {**self._json("pack.yml"), "peers": {"k": 2, "by": ["heads", "per_area"]}})
        (folder / "data/changes.csv").write_text(WITHOUT_CHANGES, encoding="utf-8")
        self.removed: list[dict[str, Any]] = []

    def names(self) -> set[str]:
        """Return the names of the indicators."""
        return {indicator["id"] for indicator in self.indicators}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        path.write_text(text.replace(old, new), encoding="utf-8")
        if name == "indicators/all.yml":
            self.indicators = self._json(name)

    def change_value(self, rng: random.Random) -> str:
        """Give a cell another number, no number, something that is no number, or another status."""
        table = rng.choice(TABLES)
        header, rows = self._table(table)
        row = rng.choice(rows)
        if rng.random() < 0.2:
            row[6] = rng.choice(["A", "P", "E", "C"])
        else:
            row[5] = rng.choice(["", "abc", str(rng.randint(-3, 90)), str(rng.randint(1, 9) / 7)])
        self._write_table(table, header, rows)
        return f"{table}: {row}"

    def drop_row(self, rng: random.Random) -> str:
        """Take a row away."""
        table = rng.choice(TABLES)
        header, rows = self._table(table)
        row = rows.pop(rng.randrange(len(rows))) if len(rows) > 3 else None
        self._write_table(table, header, rows)
        return f"{table}: without {row}"

    def add_row(self, rng: random.Random) -> str:
        """Repeat a row, or add it for another area, period, sex or age group."""
        table = rng.choice(TABLES)
        header, rows = self._table(table)
        row = list(rng.choice(rows))
        place, values = rng.choice(
            [
                (1, ["2010", "2016", "2017", "2019", "2022", row[1]]),
                (2, ["t1", "t9", "C1", "X", "new"]),
                (3, ["M", "F", "_T"]),
                (4, ["Y0T14", "Y_GE65"]),
            ]
        )
        row[place] = rng.choice(values)
        self._write_table(table, header, [*rows, row])
        return f"{table}: {row}"

    def shuffle_rows(self, rng: random.Random) -> str:
        """Put the rows of a file into another order: new bytes, the same numbers."""
        table = rng.choice(TABLES)
        header, rows = self._table(table)
        rng.shuffle(rows)
        self._write_table(table, header, rows)
        return table

    def toggle_part(self, rng: random.Random) -> str:
        """Let a part of a source come, or let it fail from now on."""
        path = self.folder / "data" / f"late_{rng.choice(['2021', '2025'])}.csv"
        if path.exists():
            path.unlink()
        else:
            path.write_text((self.folder / "data/subsidies.csv").read_text(encoding="utf-8").replace("subsidy", "late"), encoding="utf-8")
        return f"{path.name} {'comes' if path.exists() else 'fails'}"

    def toggle_source(self, rng: random.Random) -> str:
        """Disable a source, or enable it again."""
        name = rng.choice(["others", "tallies", "late", "subsidies"])
        source = self._json(f"sources/{name}.yml")
        source["enabled"] = not source.get("enabled", True)
        self._write(f"sources/{name}.yml", source)
        return f"{name} enabled: {source['enabled']}"

    def toggle_source_order(self, rng: random.Random) -> str:
        """Let the other of two sources of a measure come first."""
        first, last = self.folder / "sources/a_others.yml", self.folder / "sources/others.yml"
        old, new = (first, last) if first.exists() else (last, first)
        source = json.loads(old.read_text(encoding="utf-8"))
        self._write(f"sources/{new.name}", {**source, "id": new.stem})
        old.unlink()
        return new.stem

    def toggle_break(self, rng: random.Random) -> str:
        """Declare another break in a series, or take it away."""
        source = self._json("sources/figures.yml")
        extra = {"measure": rng.choice(["flow", "amount", "stock", "residents"]), "period": rng.choice(["2010", "2020", "2021"])}
        source["breaks"] = [b for b in source["breaks"] if b != extra] + ([] if extra in source["breaks"] else [extra])
        self._write("sources/figures.yml", source)
        return str(source["breaks"])

    def declare_break(self, measure: str, period: str) -> None:
        """Declare one more break in a series."""
        source = self._json("sources/figures.yml")
        source["breaks"].append({"measure": measure, "period": period})
        self._write("sources/figures.yml", source)

    def append_row(self, table: str, *cells: str) -> None:
        """Add a row to a table."""
        header, rows = self._table(table)
        self._write_table(table, header, [*rows, list(cells)])

    def toggle_correction(self, rng: random.Random) -> str:
        """Declare a correction, or take it away."""
        source = self._json("sources/figures.yml")
        source["corrections"] = [] if source["corrections"] else [rules_pack.CORRECTION]
        self._write("sources/figures.yml", source)
        return f"{len(source['corrections'])} corrections"

    def change_indicator(self, rng: random.Random) -> str:
        """Give an indicator another factor, other levels or another window."""
        indicator = rng.choice([i for i in self.indicators if "formula" in i])
        change = rng.choice(["multiplier", "levels", "window", "title"])
        if change == "multiplier":
            indicator["formula"]["multiplier"] = rng.choice([1, 2, 100])
        elif change == "levels":
            indicator["levels"] = rng.choice([["town"], ["town", "land"], rules_pack.LEVELS])
        elif change == "window" and "window" in indicator["formula"]:
            indicator["formula"]["window"]["min"] = rng.choice([1, 2])
        else:
            indicator["title"] = f"title {rng.randint(0, 99)}"
        self._write("indicators/all.yml", self.indicators)
        return f"{indicator['id']}: {change}"

    def remove_indicator(self, rng: random.Random) -> str:
        """Take an indicator out of the pack that no index reads."""
        indicator = rng.choice([i for i in self.indicators if i["id"] not in COMPONENTS])
        self.indicators.remove(indicator)
        self.removed.append(indicator)
        self._write("indicators/all.yml", self.indicators)
        return f"without {indicator['id']}"

    def add_indicator(self, rng: random.Random) -> str:
        """Bring a removed indicator back, first in the file, or add one."""
        indicator = (
            self.removed.pop()
            if self.removed
            else rules_pack.indicator(f"new_{len(self.indicators)}_{rng.randint(0, 10**6)}", "pair", "stock")
        )
        self.indicators.insert(0, indicator)
        self._write("indicators/all.yml", self.indicators)
        return str(indicator["id"])

    def change_weight(self, rng: random.Random) -> str:
        """Give an area another weight."""
        header, rows = self._table("heads")
        row = rng.choice(rows)
        row[5] = str(rng.randint(0, 50))
        self._write_table("heads", header, rows)
        return f"heads: {row}"

    def change_territory(self, rng: random.Random) -> str:
        """Move an area to another county, or let one become another."""
        path, areas = self.folder / "data/changes.csv", self.folder / "data/areas.csv"
        if rng.random() < 0.5:
            path.write_text(WITHOUT_CHANGES if path.read_text(encoding="utf-8") == WITH_CHANGES else WITH_CHANGES, encoding="utf-8")
            return path.read_text(encoding="utf-8")
        lines = areas.read_text(encoding="utf-8").splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith("t3"))
        lines[place] = lines[place].replace("C1", "C2") if "C1" in lines[place] else lines[place].replace("C2", "C1")
        areas.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return lines[place]

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _write(self, name: str, content: Any) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")

    def _table(self, name: str) -> tuple[list[str], list[list[str]]]:
        with (self.folder / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        return header, rows

    def _write_table(self, name: str, header: list[str], rows: list[list[str]]) -> None:
        with (self.folder / "data" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


KINDS: dict[str, Callable[[ChangingPack, random.Random], str]] = {
    method.__name__: method
    for method in (
        ChangingPack.change_value, ChangingPack.drop_row, ChangingPack.add_row, ChangingPack.shuffle_rows, ChangingPack.toggle_part,
        ChangingPack.toggle_source, ChangingPack.toggle_source_order, ChangingPack.toggle_break, ChangingPack.toggle_correction,
        ChangingPack.change_indicator, ChangingPack.remove_indicator, ChangingPack.add_indicator, ChangingPack.change_weight,
        ChangingPack.change_territory,
    )
}  # fmt: skip
"""Every kind of change, by its name."""

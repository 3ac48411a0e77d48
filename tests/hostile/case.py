"""A case of hostile or broken input: the bytes, how a pack declares them, and the complete expected outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

PERIOD = "2021"

# the areas of the corpus: reference, name, code in Czechia, code in Slovakia, valid from, valid to
AREAS = (
    ("CZ_554782", "Praha", "554782", "", "", ""),
    ("CZ_582786", "Brno", "582786", "", "", ""),
    ("CZ_500011", "Želechovice", "500011", "", "", ""),
    ("SK_500011", "Nitra", "", "500011", "", ""),
    ("CZ_001234", "Nulová", "001234", "", "", ""),
    ("CZ_500020", "Zaniklá", "500020", "", "", "2016-01-01"),
    ("CZ_500030", "Sloučená", "500030", "", "2016-01-01", ""),
    ("CZ_500054", "Praha 1", "", "", "", ""),  # a city district: an area, but no code among municipalities
)
PRAHA, BRNO, ZELECHOVICE = "CZ_554782", "CZ_582786", "CZ_500011"

Row = tuple[object, ...]


@dataclass(frozen=True)
class Bad:
    """An entry that must be in quarantine: the number of the row in the file, the column (None: the whole row), and part of the reason."""

    row: int
    column: str | None
    reason: str


@dataclass(frozen=True)
class Outcome:
    """The expected outcome for a file.

    `rows` are the good rows that must be in the lake: (area, value) or (area, value, period) of observations, (area, name) of areas,
    (id, title, start) of events. `refused` is part of the reason why the whole snapshot is refused.
    """

    rows: tuple[Row, ...] = ()
    bad: tuple[Bad, ...] = ()
    ignored: dict[str, int] = field(default_factory=dict)
    refused: str | None = None
    also: str = ""  # what else is tested, in words

    def in_words(self) -> str:
        """Return the outcome in words, for the documentation."""
        if self.refused is not None:
            return f"the snapshot is refused: “{self.refused}”"
        phrases = [f"{_count(len(self.rows), 'good row')} in the lake"]
        whole = [b.row for b in self.bad if b.column is None]
        cells = sorted({(b.row, b.column or "") for b in self.bad if b.column is not None})
        if whole:
            phrases.append(f"{_count(len(whole), 'row')} in quarantine")
        if cells:
            phrases.append(f"{_count(len(cells), 'cell')} in quarantine")
        phrases += [f"{_count(n, 'row')} ignored ({reason})" for reason, n in self.ignored.items()]
        reasons = list(dict.fromkeys(b.reason for b in self.bad))
        if reasons:
            phrases.append("because: " + ", ".join(f"“{reason}”" for reason in reasons[:4]) + (" ..." if len(reasons) > 4 else ""))
        if self.also:
            phrases.append(self.also)
        return "; ".join(phrases)


@dataclass(frozen=True)
class Case:
    """One file that a source may send. `read`, `columns`, `area`, `value`, `period` and `more` are YAML for the declaration of its source."""

    id: str
    group: str
    what: str
    body: bytes | Callable[[], bytes]
    outcome: Outcome
    name: str = ""
    read: str = "{format: csv}"
    columns: str = "{code: {required: true}, value: {type: number}}"
    area: str = "{scheme: cz, code: code}"
    value: str = "value"
    period: str = f"\"'{PERIOD}'\""
    into: str = "observations"
    map: str = ""  # instead of the map of observations
    more: str = ""  # further keys of the source
    big: bool = False  # takes seconds or hundreds of megabytes

    @property
    def file(self) -> str:
        return self.name or f"{self.id}.csv"

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body()

    def declaration(self) -> str:
        """Return the YAML of the case's source; it is optional, so that its refusal does not stop the release."""
        observations = f"{{area: {self.area}, period: {self.period}, measures: {{{self.id}: {self.value}}}}}"
        lines = [
            f"id: {self.id}", f"title: {self.id}", "publisher: Nobody", "licence: CC0-1.0", "theme: census", "optional: true", "max_quarantined: 1",
            f"fetch: {{url: \"data/{self.file}\"}}", f"read: {self.read}", f"into: {self.into}",
        ]  # fmt: skip
        if self.columns:
            lines.append(f"columns: {self.columns}")
        if self.map or self.into == "observations":
            lines.append(f"map: {self.map or observations}")
        return "\n".join([*lines, self.more]) + "\n"


def table(*lines: str, encoding: str = "utf-8", end: str = "\n", header: str = "code,value") -> bytes:
    """Return a small delimited file: the header and the lines below it."""
    return (end.join([header, *lines]) + end).encode(encoding)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""What holds for any bytes at all: a reader gives a frame or says why not, and the contract accounts for every row."""

from __future__ import annotations

import csv
import importlib
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.readers import MODULES, ReadOptions, UnreadableSnapshot
from quality import contracts

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
FORMATS = ("csv", "json", "jsonstat", "eurostat-tsv", "xml", "geojson", "topojson", "ofn-events", "ofn-notices", "schema-org-events")

# text that is nearly right finds more than noise does
_MARKS = st.sampled_from(
    [*list('",;\t\n\r\\ {}[]:<>/&=-+.0123456789eE'), "null", "true", "NaN", "\x00", "�", "\u2028", "é", "554782", "\\ud83d", "\\u0000"]
)
_PIECES = st.sampled_from(
    ['{"class":"dataset","id":["a"],"size":[1],"dimension":{"a":{"category":{"index":["x"]}}},"value":[1]}', '"value":', '"dimension":{}',
    '"id":["a"]',
     '{"type":"FeatureCollection","features":[', '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}', "]}",
     "unit,geo\\time\t2020\t2021\n", "a,b\t1\t2 p\n", "<?xml version='1.0'?>", "<l><r><a>1</a></r></l>", "<!DOCTYPE l>", "<![CDATA[",
     "&amp;",
     '{"typ":"Událost","název":{"cs":"x"}}', '{"informace":[{"název":{"cs":"x"}}]}',
     '{"@type":"Event","name":"x","startDate":"2021-01-01"}',
     "<script type='application/ld+json'>", "</script>", "code,value\n", '"a""b",1\n']
)  # fmt: skip
_TEXTS = st.lists(st.one_of(_MARKS, _PIECES), max_size=25).map("".join)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=12,
)
_KEYS = ("class", "id", "size", "dimension", "value", "status", "category", "index", "label", "link", "item", "a", "features", "type",
"properties", "geometry",
         "coordinates", "typ", "název", "doba_trvání", "časový_interval", "začátek", "umístění", "geometrie", "vstupné", "částka",
         "informace", "provozovatel",
         "ičo", "vyvěšení", "@type", "name", "startDate", "location", "geo", "offers", "price", "organizer", "audience",
         "records")  # fmt: skip
_WORDS = st.one_of(
    st.sampled_from(["dataset", "collection", "bundle", "a", "Feature", "FeatureCollection", "Point", "Polygon", "MultiPolygon", "Událost",
    "Event", "2021-01-01", "\ud83d", "\0"]),
    st.integers(-2, 5), st.none(), st.booleans(), st.floats(),
)  # fmt: skip
_DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    _WORDS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6)), max_leaves=25
)


def assert_frame_or_reason(folder: Path, name: str, content: bytes) -> None:
    """Read `content` and check that what comes is a frame as readers promise it, or an error that says why."""
    path = folder / "content"
    path.write_bytes(content)
    reader = importlib.import_module(f"pipelines.readers.{MODULES[name]}")
    try:
        frame = reader.read(path, ReadOptions(format=name), None)  # type: ignore[arg-type]
    except UnreadableSnapshot:
        return
    assert frame.schema["__row"] == pl.Int64
    assert frame.schema["__fault"] == pl.String
    assert all(kind == pl.String for column, kind in frame.schema.items() if column != "__row")
    assert frame["__row"].null_count() == 0


_CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


class TestReaders:
    @pytest.mark.parametrize("name", FORMATS)
    @FEW
    @given(content=st.binary(max_size=300))
    def test_any_bytes(self, tmp_path: Path, name: str, content: bytes) -> None:
        assert_frame_or_reason(tmp_path, name, content)

    @pytest.mark.parametrize("name", FORMATS)
    @FEW
    @given(text=_TEXTS)
    def test_nearly_valid_text(self, tmp_path: Path, name: str, text: str) -> None:
        assert_frame_or_reason(tmp_path, name, text.encode("utf-8", "surrogatepass"))

    @pytest.mark.parametrize("name", ["json", "jsonstat", "geojson", "topojson", "ofn-events", "ofn-notices", "schema-org-events"])
    @FEW
    @given(document=st.one_of(_DOCUMENTS, _VALUES))
    def test_any_json(self, tmp_path: Path, name: str, document: object) -> None:
        assert_frame_or_reason(tmp_path, name, json.dumps(document).encode())

    @pytest.mark.parametrize("name", ["ics", "xlsx", "parquet"])
    @settings(FEW, max_examples=30)
    @given(
        content=st.one_of(
            st.binary(max_size=300),
            st.text(max_size=100).map(lambda t: f"BEGIN:VCALENDAR\n{t}\nEND:VCALENDAR\n".encode("utf-8", "replace")),
        )
    )
    def test_any_bytes_for_libraries(self, tmp_path: Path, name: str, content: bytes) -> None:
        assert_frame_or_reason(tmp_path, name, content)

    @FEW
    @given(rows=st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(_CELLS, min_size=width, max_size=width), min_size=1, max_size=8)))
    def test_round_trip(self, tmp_path: Path, rows: list[list[str]]) -> None:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow([f"c{i}" for i in range(len(rows[0]))])
        writer.writerows(rows)
        path = tmp_path / "table.csv"
        path.write_bytes(buffer.getvalue().encode())
        reader = importlib.import_module("pipelines.readers.delimited")
        frame = reader.read(path, ReadOptions(format="csv", na=[], multiline=True), None)
        assert frame["__fault"].null_count() == frame.height
        assert [[cell.strip() for cell in row] for row in frame.drop("__row", "__fault").rows()] == [
            [cell.strip() for cell in row] for row in rows
        ]


_RULES = (
    contracts.ColumnRule("code", "code", required=True, pattern="[a-c0-9]*"),
    contracts.ColumnRule("n", "n", "integer", min=0, max=100),
    contracts.ColumnRule("x", "x", "number", decimal=",", thousands=" "),
    contracts.ColumnRule("day", "day", "date"),
    contracts.ColumnRule("who", "who", personal=True, values=("a", "b")),
)
_TEXT = st.one_of(
    st.none(), st.sampled_from(["a", "b", "1", "-1", "1,5", "1 234", "NaN", "1e400", "2021-02-29", "2020-02-29", "=1+1", "\u202e"]), _CELLS
)


class TestContract:
    @settings(FEW, max_examples=300)
    @given(
        rows=st.lists(
            st.tuples(*[_TEXT] * len(_RULES), st.sampled_from([None, None, None, "a fault"]), st.sampled_from(["", "p=1"])), max_size=15
        ),
        key=st.sampled_from([(), ("code",), ("code", "n"), ("who", "day")]),
    )
    def test_accounts_for_every_row(self, rows: list[tuple[Any, ...]], key: tuple[str, ...]) -> None:
        names = [rule.source for rule in _RULES] + ["__fault", "__part"]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(
            pl.int_range(1, pl.len() + 1).alias("__row")
        )
        checked = contracts.check(frame, _RULES, key)
        accepted, bad, repeats = (set(part["__row"]) for part in (checked.accepted, checked.bad_rows, checked.repeats))
        assert checked.accepted.height + checked.bad_rows.height + checked.repeats.height == frame.height
        assert accepted | bad | repeats == set(frame["__row"])
        assert set(checked.rejected["__row"]) == bad
        assert set(checked.bad_cells["__row"]) <= accepted
        assert checked.bad_rows["reasons"].null_count() == 0
        assert checked.bad_cells["reason"].null_count() == 0
        for text in (*checked.bad_rows["values"], *checked.bad_cells.filter(pl.col("column") == "who")["value"]):
            assert '"who":null' in text or contracts.MASK in text

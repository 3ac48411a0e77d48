"""Inputs as offices publish them: each gives the right rows, or a refusal with file, row and reason. Nothing is changed in silence."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.core.yaml import PackError
from pipelines.explain.facts import Key, Observation
from pipelines.explain.provenance import ProvenanceReader
from pipelines.explain.reread import PartReader
from pipelines.explain.warehouse import Warehouse
from pipelines.lake.ingest import reading
from tests.support.ingested import OBSERVED, Ingested, ingest

JSON = "fetch: {url: data/x.json}\nread: {format: json%s}\ncolumns: {code: {required: true}, v: {%s}}\n" + OBSERVED
CSV = "fetch: {url: data/x.csv}\nread: {format: csv%s}\ncolumns: {code: {required: true}, v: {%s}}\n" + OBSERVED


class TestVariablesOfParts:
    SOURCE = """\
fetch: {url: "data/x_{year}.csv", parts: {year: [2022, 2023]}}
read: {format: csv}
columns: {code: {required: true}%s, v: {type: number}}
into: observations
map: {area: {scheme: office, code: code}, period: year, measures: {m: v}}
"""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("declared", "header"), [("", "year"), (", year: {type: integer}", "year"), (", year: {type: integer}", "Year")]
    )
    def test_column_of_that_name_with_other_texts_refuses_the_part(self, tmp_path: Path, declared: str, header: str) -> None:
        files = {"x_2022.csv": "code,v\nt1,10\n", "x_2023.csv": f"code,{header},v\nt1,2023,11\nt3,2022,30\n"}
        result = ingest(tmp_path, self.SOURCE % declared, files)
        assert result.values() == {("t1", "2022"): 10.0}
        error = result.report.errors["year=2023"]
        assert f"a column {header} with '2022' in row 3, but year is a variable of parts, here '2023'" in error

    def test_undeclared_column_that_differs_in_case_is_another_one(self, tmp_path: Path) -> None:
        files = {"x_2022.csv": "code,v\nt1,10\n", "x_2023.csv": "code,YEAR,v\nt1,x,11\n"}
        assert ingest(tmp_path, self.SOURCE % "", files).values() == {("t1", "2022"): 10.0, ("t1", "2023"): 11.0}

    def test_column_with_the_same_texts_is_harmless(self, tmp_path: Path) -> None:
        files = {"x_2022.csv": "code,year,v\nt1,2022,10\n", "x_2023.csv": "code,year,v\nt1,2023,11\nt3,,30\n"}
        result = ingest(tmp_path, self.SOURCE % ", year: {type: integer}", files)
        assert result.values() == {("t1", "2022"): 10.0, ("t1", "2023"): 11.0, ("t3", "2023"): 30.0}


class TestTypedNumbers:
    CELLS = '[{"code": "t1", "v": 1.234}, {"code": "t2", "v": 1.5e3}, {"code": "t3", "v": "%s"}]'

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("read", "column", "text", "expected"),
        [
            ("", "type: number, decimal: ',', thousands: '.'", "12.345,5", 12345.5),
            (", decimal: ','", "type: number", "12,5", 12.5),
            (", decimal: ',', thousands: '.'", "type: number", "2.000", 2000.0),
            (", decimal: ',', thousands: '.'", "type: number, decimal: '.', thousands: ' '", "2 000", 2000.0),
        ],
    )
    def test_of_json_stay_the_same_under_any_marks(self, tmp_path: Path, read: str, column: str, text: str, expected: float) -> None:
        result = ingest(tmp_path, JSON % (read, column), {"x.json": self.CELLS % text})
        assert result.by_area() == {"t1": 1.234, "t2": 1500.0, "t3": expected}

    def test_of_json_keep_a_zero_fraction_in_integers(self, tmp_path: Path) -> None:
        cells = '[{"code": "t1", "v": 1.000}, {"code": "t2", "v": 12}, {"code": "t3", "v": "3.000"}]'
        result = ingest(tmp_path, JSON % ("", "type: integer"), {"x.json": cells})
        assert result.by_area() == {"t1": 1.0, "t2": 12.0, "t3": None}
        assert [row for row, _, _ in result.reasons()] == [3]


class TestWholeNumbers:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("read", "text", "value"),
        [
            ("", "1.000", None), ("", "12.000", None), ("", "-300.000", None), ("", "1.234", None), ("", "0.000", 0.0), ("", "1000.000", 1000.0),
            ("", "5.0", 5.0), (", delimiter: ';', decimal: ','", "1,000", None), (", delimiter: ';', decimal: ',', thousands: '.'", "1.000", 1000.0),
            (", delimiter: ';', decimal: ',', thousands: '.'", "1,000", 1.0), (", delimiter: ';', thousands: ' '", "1.000", 1.0),
        ],
    )  # fmt: skip
    def test_with_marks_that_may_separate_thousands_are_refused(self, tmp_path: Path, read: str, text: str, value: float | None) -> None:
        mark = ";" if read else ","
        result = ingest(tmp_path, CSV % (read, "type: integer"), {"x.csv": f"code{mark}v\nt1{mark}{text}\n"})
        assert result.by_area() == {"t1": value}
        assert bool(result.reasons()) == (value is None)

    def test_reason_says_what_to_declare(self, tmp_path: Path) -> None:
        result = ingest(tmp_path, CSV % ("", "type: integer"), {"x.csv": "code,v\nt1,1.000\nt2,1.234\n"})
        assert [reason for _, _, reason in result.reasons()] == [
            "the mark before three zeros may separate thousands: declare `thousands` and `decimal`", "not a whole number",
        ]  # fmt: skip


class TestNamesThatDifferInCase:
    FILE = "typ,TYP,code,v\nM,x,t1,1\nF,M,t2,2\nF,x,t3,3\n"

    def test_expression_reads_the_column_with_the_exact_name(self, tmp_path: Path) -> None:
        assert ingest(tmp_path, CSV % (", ignore: \"typ = 'M'\"", "type: number"), {"x.csv": self.FILE}).by_area() == {"t2": 2.0, "t3": 3.0}
        other = ingest(tmp_path / "b", CSV % (", ignore: \"TYP = 'M'\"", "type: number"), {"x.csv": self.FILE})
        assert other.by_area() == {"t1": 1.0, "t3": 3.0}

    @pytest.mark.parametrize("expression", ["Typ = 'M'", "typ = 'M' or TYP = 'M'"])
    def test_expression_that_may_mean_both_is_refused(self, tmp_path: Path, expression: str) -> None:
        result = ingest(tmp_path, CSV % (f', ignore: "{expression}"', "type: number"), {"x.csv": self.FILE})
        assert "which differ only in case" in result.report.errors[""]

    def test_declared_columns_must_not_be_ambiguous(self, tmp_path: Path) -> None:
        source = CSV.replace("code: {required: true}", "code: {required: true}, CODE: {}") % ("", "type: number")
        with pytest.raises(PackError, match=r"sources/s\.yml:10: map\.area\.code: code: the columns CODE and code differ only in case"):
            ingest(tmp_path, source, {"x.csv": "code,CODE,v\nt1,t2,1\n"})


def calendar(*events: str) -> str:
    blocks = [f"BEGIN:VEVENT\nDTSTAMP:20240101T000000Z\n{event}\nEND:VEVENT" for event in events]
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//", *blocks, "END:VCALENDAR", ""])


class TestCalendars:
    SOURCE = "fetch: {url: data/x.ics}\nread: {format: ics}\ninto: events\nmap: {area: {ref_area: \"'t1'\"}}\n"

    def test_events_of_one_uid_are_all_counted(self, tmp_path: Path) -> None:
        days = [f"UID:x@site\nDTSTART;VALUE=DATE:2024{month:02}01\nSUMMARY:Number {month}" for month in (5, 6, 7)]
        result = ingest(tmp_path, self.SOURCE, {"x.ics": calendar(*days, days[0])})
        assert result.frame["title"].to_list() == ["Number 5", "Number 6", "Number 7"]
        assert result.frame["id"].n_unique() == 3
        assert result.counts() == (4, 3, 0, {"version": 1})

    def test_older_versions_are_counted(self, tmp_path: Path) -> None:
        start = "UID:x\nDTSTART:20240501T100000Z"
        versions = [f"{start}\nSEQUENCE:0\nSUMMARY:Old", f"{start}\nSEQUENCE:2\nSUMMARY:New", "UID:x\nSEQUENCE:1\nDTSTART:20240401T100000Z"]
        result = ingest(tmp_path, self.SOURCE, {"x.ics": calendar(*versions)})
        assert result.frame["title"].to_list() == ["New"]
        assert result.counts() == (3, 1, 1, {"version": 1})
        assert "an older version of the event (SEQUENCE 1, the newest is 2) with another start" in result.reasons()[0][2]

    def test_events_without_uid_and_without_occurrence_stay(self, tmp_path: Path) -> None:
        events = [
            "DTSTART:20240501T100000Z\nSUMMARY:One", "DTSTART:20240502T100000Z\nSUMMARY:Two",
            "UID:u\nDTSTART;VALUE=DATE:20240504\nRRULE:FREQ=YEARLY;UNTIL=20230101\nSUMMARY:Never",
        ]  # fmt: skip
        result = ingest(tmp_path, self.SOURCE, {"x.ics": calendar(*events)})
        assert result.frame["title"].to_list() == ["One", "Two"]
        assert result.counts() == (3, 2, 1, {})
        assert "no occurrence of the event" in result.reasons()[0][2]

    def test_unused_and_empty_properties_refuse_nothing_and_are_not_shown(self, tmp_path: Path) -> None:
        unused = 'UID:p\nDTSTART;VALUE=DATE:20240501\nSUMMARY:One\nX-FOO;BAR:baz\nATTENDEE;CN="A "B" C":mailto:x@y\nGEO:\nURL:\nSTATUS:'
        bad = 'UID:q\nDTSTART;VALUE=DATE:20240502\nSUMMARY:Two\nGEO:49.1,16.6\nATTENDEE;CN="A "B" C":mailto:x@y'
        result = ingest(tmp_path, self.SOURCE, {"x.ics": calendar(unused, bad)})
        assert result.frame["title"].to_list() == ["One"]
        (row,) = result.quarantine.iter_rows(named=True)
        assert row["reason"].startswith("GEO: ")
        assert "x@y" not in str(row)
        assert '"title":"Two"' in row["value"]
        assert '"start":"2024-05-02"' in row["value"]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("start", "pack", "local"),
        [
            ("DTSTART:20231231T233000Z", "timezone: Europe/Prague\n", "2024-01-01 00:30:00"),
            ("DTSTART:20231231T233000Z", "", "2023-12-31 23:30:00"),
            ("DTSTART;TZID=America/New_York:20231231T190000", "timezone: Europe/Prague\n", "2024-01-01 01:00:00"),
            ("DTSTART:20231231T233000", "timezone: Europe/Prague\n", "2023-12-31 23:30:00"),
        ],
    )
    def test_times_are_local_in_the_time_zone_of_the_pack(self, tmp_path: Path, start: str, pack: str, local: str) -> None:
        result = ingest(tmp_path, self.SOURCE, {"x.ics": calendar(f"UID:u\n{start}\nSUMMARY:New year")}, pack)
        assert [str(moment) for moment in result.frame["start"]] == [local]

    @pytest.mark.parametrize("type_", ["string", "datetime"])
    def test_times_of_other_formats_are_local_too(self, tmp_path: Path, type_: str) -> None:
        source = (
            f"fetch: {{url: data/x.csv}}\nread: {{format: csv}}\ncolumns: {{id: {{}}, moment: {{type: {type_}}}}}\ninto: events\n"
            "map: {id: id, start: moment, area: {ref_area: \"'t1'\"}}\n"
        )
        rows = "id,moment\n1,2023-12-31T23:30:00Z\n2,2023-12-31T23:30:00+00:00\n3,2024-06-30T22:15:00Z\n4,2024-01-01T00:30:00+0100\n5,2024-01-01\n"
        result = ingest(tmp_path, source, {"x.csv": rows}, "timezone: Europe/Prague\n")
        assert [str(moment)[:16] for moment in result.frame["start"]] == [
            "2024-01-01 00:30", "2024-01-01 00:30", "2024-07-01 00:15", "2024-01-01 00:30", "2024-01-01 00:00",
        ]  # fmt: skip


class TestRowsOfOneLine:
    """Of Eurostat's tables, in which each line has many periods."""

    SOURCE = """\
fetch: {url: data/x.tsv}
read: {format: eurostat-tsv}
columns: {geo: {required: true}, time_period: {}, value: {type: number, min: 0}, flag: {}}
into: observations
map: {area: {scheme: office, code: geo}, period: time_period, status: %s, measures: {m: value}}
"""
    FLAGS = "unit,geo\\TIME_PERIOD\t2022 \t2023 \nNR,t1\t10 bp\t11 r\nNR,t2\t: z\t12 e\nNR,t3\t5 d\t: cu\n"

    @pytest.mark.parametrize("status", ["flag", "upper(flag)"])
    def test_flags_of_eurostat_are_statuses(self, tmp_path: Path, status: str) -> None:
        result = ingest(tmp_path, self.SOURCE % status, {"x.tsv": self.FLAGS})
        rows = result.frame.drop_nulls("measure").select("ref_area", "time_period", "obs_value", "obs_status").rows()
        assert rows == [
            ("t1", "2022", 10.0, "B"), ("t1", "2023", 11.0, "A"), ("t2", "2022", None, "M"), ("t2", "2023", 12.0, "E"),
            ("t3", "2022", 5.0, "B"), ("t3", "2023", None, "C"),
        ]  # fmt: skip
        assert result.reasons() == []

    def test_letters_of_other_offices_are_no_flags_of_eurostat(self, tmp_path: Path) -> None:
        source = (
            "fetch: {url: data/x.csv}\nread: {format: csv}\ncolumns: {code: {required: true}, v: {type: number}, state: {}}\n"
            "into: observations\nmap: {area: {scheme: office, code: code}, period: \"'2024'\", status: state, measures: {m: v}}\n"
        )
        result = ingest(tmp_path, source, {"x.csv": "code,v,state\nt1,1,NE\nt2,2,bez\nt3,3,e\n"})
        assert result.reasons() == [(2, None, "status NE: not an observation status"), (3, None, "status BEZ: not an observation status")]
        statuses = result.frame.drop_nulls("measure").select("ref_area", "obs_value", "obs_status").rows()
        assert statuses == [("t1", None, "Q"), ("t2", None, "Q"), ("t3", 3.0, "E")]

    def test_quarantine_has_each_cell_with_its_own_reason(self, tmp_path: Path) -> None:
        text = "unit,geo\\TIME_PERIOD\t2022 \t2023 \t2024 \nNR,t1\t10 xk\t11 \t12 xy\nNR,t2\t-1 \t2 \t3 \n"
        result = ingest(tmp_path, self.SOURCE % "flag", {"x.tsv": text})
        assert result.quarantine.select("row_number", "cell", "column", "reason").rows() == [
            (2, "2022", None, "status XK: not an observation status"), (2, "2024", None, "status XY: not an observation status"),
            (3, "2022", "value", "below the minimum of 0"),
        ]  # fmt: skip
        assert result.values()["t1", "2023"] == 11.0

    def test_explain_shows_the_cell_of_the_observation(self, tmp_path: Path) -> None:
        result = ingest(tmp_path, self.SOURCE % "flag", {"x.tsv": self.FLAGS})
        source, receipt = result.context.pack.sources["s"], result.report.parts[""]
        reader = PartReader(result.context, source, "", reading.read_text(result.context, source, receipt.snapshot, source.read)[0])
        values = {(key.ref_area, key.time_period): found for key, found in reader.row_values({"m"}).items()}
        (value,) = values["t2", "2022"]
        assert (value.row, value.value, reader.cells_of([value])) == (3, None, {"2022"})
        assert reader.texts([3], "m", [value]) == {3: {"value": None, "geo": "t2", "time_period": "2022", "flag": "z"}}


class TestDatesOfRegisters:
    SOURCE = """\
fetch: {url: data/x.csv}
read: {format: csv}
columns: {id: {required: true}, code: {required: true}, since: {type: date}, until: {type: %s}, active: {type: boolean}}
into: register
map: {register: "'r'", id: id, area: {scheme: office, code: code}, valid_from: since, valid_to: "%s", where: active}
"""
    ROWS = "id,code,since,until,active\n1,t1,2020-01-01,2022-01-01,1\n2,t1,2020-01-01,,1\n%s\n"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("3,t1,2020-01-01,31.2.2021,1", "map.valid_to: until cannot be read"), ("3,t1,soon,,1", "map.valid_from: since cannot be read"),
            ("3,t1,2020-01-01,,perhaps", "map.where: active cannot be read"),
        ],
    )  # fmt: skip
    def test_that_cannot_be_read_refuse_the_entry(self, tmp_path: Path, row: str, reason: str) -> None:
        result = ingest(tmp_path, self.SOURCE % ("date", "until"), {"x.csv": self.ROWS % row})
        assert result.frame["id"].to_list() == ["1", "2"]
        assert (4, None, reason) in result.reasons()
        assert result.counts() == (3, 2, 1, {})

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "expression",
        [
            "try_strptime(until, '%Y-%m-%d')",
            "try_cast(nullif(until, '') as date)",
            "case when until <> '' then try_strptime(until, '%Y-%m-%d') end",
            "coalesce(try_strptime(until, '%Y-%m-%d'), TRY_STRPTIME(until, '%d.%m.%Y'))",
        ],
    )
    def test_that_an_expression_cannot_read_refuse_the_entry(self, tmp_path: Path, expression: str) -> None:
        result = ingest(tmp_path, self.SOURCE % ("string", expression), {"x.csv": self.ROWS % "3,t1,2020-01-01,2021-13-01,1"})
        assert result.frame.select("id", pl.col("valid_to").cast(pl.String)).rows() == [("1", "2022-01-01"), ("2", None)]
        assert result.reasons() == [(4, None, "valid_to: not a date")]

    def test_that_mean_no_end_are_declared(self, tmp_path: Path) -> None:
        expression = "try_cast(nullif(until, 'open') as date)"
        result = ingest(tmp_path, self.SOURCE % ("string", expression), {"x.csv": self.ROWS % "3,t1,2020-01-01,open,1"})
        assert (result.frame["id"].to_list(), result.reasons()) == (["1", "2", "3"], [])

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("type_", "expression", "reason"),
        [
            ("date", "until", "map.area.valid_to: until cannot be read"),
            ("string", "try_cast(nullif(until, '') as date)", "area.valid_to: not a date"),
        ],
    )
    def test_of_areas_refuse_the_area(self, tmp_path: Path, type_: str, expression: str, reason: str) -> None:
        source = (
            f"fetch: {{url: data/x.csv}}\nread: {{format: csv}}\ncolumns: {{code: {{required: true}}, until: {{type: {type_}}}}}\ninto: areas\n"
            f'map: {{area: {{ref_area: code, level: "\'town\'", parents: {{county: "\'C\'"}}, valid_to: "{expression}"}}}}\n'
        )
        result = ingest(tmp_path, source, {"x.csv": "code,until\nx1,2020-01-01\nx2,soon\nx3,\n"})
        assert result.frame["ref_area"].to_list() == ["x1", "x3"]
        assert (3, None, reason) in result.reasons()

    def test_of_events_refuse_the_event(self, tmp_path: Path) -> None:
        source = (
            "fetch: {url: data/x.csv}\nread: {format: csv}\ncolumns: {id: {}, day: {}, until: {}}\ninto: events\n"
            "map: {id: id, start: try_cast(day as date), end: \"try_cast(nullif(until, '') as date)\", area: {ref_area: \"'t1'\"}}\n"
        )
        rows = "id,day,until\n1,2024-05-01,\n2,2024-05-01,2024-05-02\n3,2024-05-01,2024-05-32\n4,today,\n5,,\n"
        result = ingest(tmp_path, source, {"x.csv": rows})
        assert result.frame["id"].to_list() == ["1", "2"]
        assert result.reasons() == [
            (4, None, "end: not a date"), (5, None, "start: not a date; the event has no start"), (6, None, "the event has no start"),
        ]  # fmt: skip


class TestCountedYearsOfRegisters:
    REGISTER = """\
fetch: {url: data/x.csv}
read: {format: csv}
columns: {id: {required: true}, code: {required: true}, since: {type: date}, until: {type: date}}
into: register
map: {register: "'r'", id: id, area: {scheme: office, code: code}, valid_from: since, valid_to: until}
"""
    ROWS = "id,code,since,until\n1,t1,2022-06-01,2024-03-01\n2,t1,2023-01-01,\n3,t2,2024-12-31,\n4,t3,,2023-02-01\n"

    def counts(self, folder: Path, declared: str) -> dict[tuple[str, str], float]:
        """Count the register, fetched on 9 October 2025, by area and year."""
        counted = f"id: z\nfrom: register\n{declared}measures: {{n: count(*)}}\n"
        result = ingest(folder, self.REGISTER, {"x.csv": self.ROWS}, sources__z_yml=counted)
        return {k: v for k, v in result.of("z").values().items() if v}

    def test_first_day_is_the_default(self, tmp_path: Path) -> None:
        assert self.counts(tmp_path, "") == {
            ("t3", "2022"): 1, ("t1", "2023"): 2, ("t3", "2023"): 1, ("t1", "2024"): 2, ("t1", "2025"): 1, ("t2", "2025"): 1,
        }  # fmt: skip

    def test_declared_day_and_first_year(self, tmp_path: Path) -> None:
        declared = 'count_on: "12-31"\nfrom_year: 2021\n'
        assert self.counts(tmp_path, declared) == {
            ("t3", "2021"): 1, ("t1", "2022"): 1, ("t3", "2022"): 1, ("t1", "2023"): 2, ("t1", "2024"): 1, ("t2", "2024"): 1,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("declared", "reason"),
        [('count_on: "02-29"\n', "month and day of every year"), ('count_on: "31.12."\n', "count_on"), ("from_year: 0\n", "from_year")],
    )
    def test_wrong_declarations_are_refused(self, tmp_path: Path, declared: str, reason: str) -> None:
        with pytest.raises(PackError, match=reason):
            self.counts(tmp_path, declared)


class TestChangesOfAreas:
    SOURCE = """\
fetch: {url: data/x.csv}
read: {format: csv}
columns: {old: {required: true}, new: {required: true}, day: {type: date, required: true}, share: {type: number}}
into: area_changes
map: {from: old, to: new, on: day, share: share}
"""

    def validity(self, result: Ingested) -> dict[str, tuple[str | None, str]]:
        """Return the end of validity and the level of each area."""
        areas = result.context.territory.areas.select("ref_area", pl.col("valid_to").cast(pl.String), "level")
        return {area: (end, level) for area, end, level in areas.iter_rows()}

    def test_chain_through_areas_that_only_changes_name(self, tmp_path: Path) -> None:
        rows = "old,new,day,share\nx1,x2,1950-01-01,\nx2,x3,1960-01-01,\nx3,t1,1970-01-01,\ny1,y2,1980-01-01,\nz1,x2,1965-01-01,\n"
        result = ingest(tmp_path, self.SOURCE, {"x.csv": rows})
        areas = self.validity(result)
        assert [areas[x] for x in ("x1", "x2", "x3")] == [("1950-01-01", "town"), ("1960-01-01", "town"), ("1970-01-01", "town")]
        assert result.reasons() == [(5, None, "area y2: unknown"), (6, None, "area x2: unknown")]

    def test_area_that_separates_again_does_not_end(self, tmp_path: Path) -> None:
        rows = "old,new,day,share\nt1,t2,1980-01-01,\nt2,t1,1990-01-01,0.3\nt3,t2,2000-01-01,\n"
        areas = self.validity(ingest(tmp_path, self.SOURCE, {"x.csv": rows}))
        assert (areas["t1"][0], areas["t2"][0], areas["t3"][0]) == (None, None, "2000-01-01")


class TestCountsOfRefusedEntries:
    REGISTER = """\
fetch: {url: data/x.csv}
read: {format: csv}
columns: {id: {required: true}, code: {required: true}, kind: {required: true}, since: {type: date}, until: {type: date}}
into: register
map: {register: kind, id: id, area: {scheme: office, code: code}, valid_from: since, valid_to: until}
"""
    COUNT = "id: z\nfrom: register\nfrom_year: 2022\nwhere: \"register = 'r'\"\nuniverse: \"level = 'town'\"\nmeasures: {n: count(*)}\n"
    GOOD = "id,code,kind,since,until\n1,t1,r,2022-01-01,\n2,t2,r,2022-01-01,\n3,t2,other,2022-01-01,\n"

    def counts(self, folder: Path, rows: str) -> tuple[dict[str, str], list[str]]:
        """Return the counts of each area by year (2022 to 2025, a letter where there is no value), and the warnings."""
        result = ingest(folder, self.REGISTER, {"x.csv": self.GOOD + rows}, sources__z_yml=self.COUNT)
        cells = result.of("z").frame.filter(pl.col("measure").is_not_null()).sort("ref_area", "time_period")
        texts: dict[str, str] = {}
        for area, value, status in cells.select("ref_area", "obs_value", "obs_status").iter_rows():
            texts[area] = texts.get(area, "") + (status if value is None else f"{value:.0f}")
        return texts, result.of("z").report.warnings

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            ("9,t1,r,2023-06-01,soon", {"t1": "11QQ", "t2": "1111", "t3": "0000"}),  # the map rejects it
            ("9,t3,r,soon,2024-06-01", {"t1": "1111", "t2": "1111", "t3": "QQQ0"}),
            (",t3,r,2024-01-01,2025-01-01", {"t1": "1111", "t2": "1111", "t3": "00Q0"}),  # the contract rejects it
            ("9,t1,r,2024-01-01,2023-01-01", {"t1": "QQQQ", "t2": "1111", "t3": "0000"}),  # the dates contradict each other
            ("9,t1,other,2023-06-01,soon", {"t1": "1111", "t2": "1111", "t3": "0000"}),  # it is of another register
            ("9,t1,,2023-06-01,", {"t1": "11QQ", "t2": "1111", "t3": "0000"}),  # of an unknown register
        ],
    )
    def test_are_unknown_where_the_entry_may_belong(self, tmp_path: Path, row: str, expected: dict[str, str]) -> None:
        assert self.counts(tmp_path, row + "\n") == (expected, [])

    @pytest.mark.slow
    def test_entries_without_known_area_are_a_warning(self, tmp_path: Path) -> None:
        counts, warnings = self.counts(tmp_path, "8,t9,r,2022-01-01,\n9,,r,2022-01-01,\n")
        assert counts == {"t1": "1111", "t2": "1111", "t3": "0000"}
        assert warnings == ["2 refused entries have no known area, and may be missing from any count (`zpo2 quarantine`)"]

    def test_without_universe_the_area_of_the_entry_is_unknown(self, tmp_path: Path) -> None:
        count = self.COUNT.replace("universe: \"level = 'town'\"\n", "")
        result = ingest(tmp_path, self.REGISTER, {"x.csv": self.GOOD + "9,t3,r,soon,2023-06-01\n"}, sources__z_yml=count).of("z")
        rows = result.frame.filter(pl.col("measure").is_not_null() & (pl.col("ref_area") == "t3"))
        assert rows.select("time_period", "obs_value", "obs_status").rows() == [("2022", None, "Q"), ("2023", None, "Q")]

    def test_explain_names_the_refused_entry(self, tmp_path: Path) -> None:
        rows = "9,t1,r,2023-06-01,soon\n10,t1,r,2023-01-01,\n"
        result = ingest(tmp_path, self.REGISTER, {"x.csv": self.GOOD + rows}, sources__z_yml=self.COUNT)
        observation = Observation("z", "", Key("n", "t1", "2024", "_T", "_T"), None, "Q", None, False, 2, 2, None)
        reader = ProvenanceReader(result.context.workspace, Warehouse(duckdb.connect(), result.context.workspace))
        trace = reader.traces([observation], whole=True)[observation]
        assert [(e.source, e.row, e.reason) for e in trace.quarantine] == [
            ("s", 5, "map.valid_to: until cannot be read"), ("s", 5, "not a date"),
        ]  # fmt: skip
        assert ([(e.source, e.row) for e in trace.entries], trace.value_read) == ([("s", 5)], None)

    @pytest.mark.slow
    def test_lake_keeps_only_place_and_time_of_the_entry(self, tmp_path: Path) -> None:
        result = ingest(tmp_path, self.REGISTER, {"x.csv": self.GOOD + "secret,t1,r,2023-06-01,soon\n"})
        kept = result.context.lake.read_all(result.report.files("refused_entries"), "refused_entries")
        [row] = kept.drop("snapshot").rows(named=True)
        assert {name: str(value) for name, value in row.items() if value is not None} == {
            "source": "s", "part": "", "row_number": "5", "register": "r", "ref_area": "t1", "valid_from": "2023-06-01",
        }  # fmt: skip

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            ("9,t1,fair,2024-02-30", {("t1", "2023"): "Q", ("t1", "2024"): "Q"}),
            (",t1,fair,2024-02-03", {("t1", "2024"): "Q"}),
            (",t1,play,2024-02-03", {}),
        ],
    )
    def test_of_events_have_their_period_or_any(self, tmp_path: Path, row: str, expected: dict[tuple[str, str], str]) -> None:
        source = (
            "fetch: {url: data/x.csv}\nread: {format: csv}\ncolumns: {id: {required: true}, code: {}, kind: {}, day: {type: date}}\n"
            "into: events\nmap: {id: id, start: day, category: kind, area: {scheme: office, code: code}}\n"
        )
        count = "id: z\nfrom: events\nwhere: \"category = 'fair'\"\nmeasures: {n: count(*)}\n"
        rows = f"id,code,kind,day\n1,t1,fair,2024-01-01\n2,t2,fair,2023-01-01\n{row}\n"
        result = ingest(tmp_path, source, {"x.csv": rows}, sources__z_yml=count).of("z")
        cells = result.frame.filter(pl.col("measure").is_not_null()).select("ref_area", "time_period", "obs_status", "obs_value").rows()
        assert {(area, period): status for area, period, status, _ in cells if status != "A"} == expected
        assert all((value is None) == (status == "Q") for *_, status, value in cells)

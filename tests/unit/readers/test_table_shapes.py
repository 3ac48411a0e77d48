"""Tables in other shapes than one row per line and one column per name, and what a declaration makes of them."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, read
from pipelines.readers.cells import Columns
from quality.contracts.cell_types import explain_failures
from tests.support.ingested import ingest

File = Callable[[bytes | str], Path]


def rows(path: Path, columns: list[str] | None = None, **options: Any) -> list[dict[str, Any]]:
    frame = read(path, ReadOptions(**options), columns)
    return [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]


class TestJson:
    def test_one_object_is_one_record(self, file: File) -> None:
        path = file('{"code": "t1", "n": {"all": 5}}')
        assert rows(path, ["code", "n/all"], format="json") == [{"code": "t1", "n/all": "5", "__row": 1}]
        with pytest.raises(UnreadableSnapshot, match="expected a list, but the document is an object with the keys code, n"):
            rows(path, ["other"], format="json")

    def test_records_keyed_by_code(self, file: File) -> None:
        path = file('{"data": {"t1": {"v": 1}, "t2": {"v": 2}}, "plain": {"t1": 5}, "twice": {"t1": {"code": "x"}}}')
        assert rows(path, format="json", records="/data", keyed_by="code") == [
            {"code": "t1", "v": "1", "__row": 1}, {"code": "t2", "v": "2", "__row": 2},
        ]  # fmt: skip
        assert rows(path, format="json", records="/plain", keyed_by="code") == [{"code": "t1", "value": "5", "__row": 1}]
        assert rows(path, format="json", records="/twice", keyed_by="code")[0]["__fault"] == "the record has a key code of its own"

    def test_one_document_per_line(self, file: File) -> None:
        path = file('{"code":"t1","v":1}\n\n{"code":"t2","v":}\n{"code":"t3","v":3}\n')
        result = rows(path, format="json")
        assert [row.get("code") for row in result] == ["t1", None, "t3"]
        assert result[1]["__fault"].startswith("not JSON")
        with pytest.raises(UnreadableSnapshot, match="line 2: not JSON"):
            rows(file('{"code":\n"t1"'), format="json")

    def test_list_of_lists_has_a_header(self, file: File) -> None:
        table = [["NAME", "POP", "county"], ["Alder", "10", "t1"], ["Birch", 20.5, "t2"], ["short"]]
        result = rows(file(json.dumps(table)), format="json")
        assert result[1] == {"NAME": "Birch", "POP": "20.5", "county": "t2", "__row": 2}
        assert result[2]["__fault"] == "1 values, expected 3"
        named = rows(file(json.dumps({"rows": table[1:3]})), format="json", records="/rows", header_rows=0, names=["a", "b", "c", "d"])
        assert named[0] == {"a": "Alder", "b": "10", "c": "t1", "__row": 1}

    def test_values_of_the_objects_around_a_record(self, file: File) -> None:
        document = {"year": 2023, "series": [{"geo": "t1", "unit": {"id": "NR"}, "notes": [1], "obs": [{"t": 1, "geo": "own"}, {"t": 2}]}]}
        result = rows(file(json.dumps(document)), format="json", records="/series/*/obs")
        assert result == [
            {"geo": "own", "unit/id": "NR", "t": "1", "__row": 1}, {"geo": "t1", "unit/id": "NR", "t": "2", "__row": 2},
        ]  # fmt: skip


class TestXml:
    def test_attributes_of_the_elements_around_a_record(self, file: File) -> None:
        text = (
            '<m:data xmlns:m="urn:x" xmlns="urn:y" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" id="d">'
            '<Series GEO="t1" id="s"><Obs TIME="2023" V="1"/><Obs TIME="2024" V="2" GEO="own"/></Series>'
            '<Group X="1"/><Series GEO="t2"><Obs TIME="2023" V="3"/></Series></m:data>'
        )
        result = rows(file(text), format="xml", records="/data/Series/Obs")
        paths = [{"../@GEO": "t1", "../@id": "s", "../../@id": "d"}] * 2 + [{"../@GEO": "t2", "../../@id": "d"}]
        assert result == [
            {"@TIME": "2023", "@V": "1", "@id": "s", "@GEO": "t1", "__row": 1} | paths[0],
            {"@TIME": "2024", "@V": "2", "@GEO": "own", "@id": "s", "__row": 2} | paths[1],
            {"@TIME": "2023", "@V": "3", "@id": "d", "@GEO": "t2", "__row": 3} | paths[2],
        ]

    def test_attribute_of_an_ancestor_that_the_record_has_too(self, file: File) -> None:
        text = '<R NAME="r"><TOWN CODE="1" NAME="Alder"><PERSON NAME="x"/><PERSON NAME="y"/></TOWN><TOWN CODE="2" NAME="Birch"><PERSON/></TOWN></R>'
        result = rows(file(text), format="xml", records="/R/TOWN/PERSON")
        assert [(r.get("@NAME"), r["../@NAME"], r["../@CODE"], r["../../@NAME"]) for r in result] == [
            ("x", "Alder", "1", "r"), ("y", "Alder", "1", "r"), ("Birch", "Birch", "2", "r"),
        ]  # fmt: skip

    def test_document_that_names_a_wrong_encoding(self, file: File) -> None:
        path = file('<?xml version="1.0" encoding="iso-8859-2"?><R><TOWN NAME="Žďár"/></R>'.encode())
        assert rows(path, format="xml")[0]["@NAME"] != "Žďár"
        assert rows(path, format="xml", encoding="utf-8")[0]["@NAME"] == "Žďár"
        assert rows(file('<R><TOWN NAME="Žďár"/></R>'.encode("windows-1250")), format="xml", encoding="windows-1250")[0]["@NAME"] == "Žďár"
        with pytest.raises(UnreadableSnapshot, match="line 1: not XML"):
            rows(file('<R><TOWN NAME="Žďár"/></R>'.encode("windows-1250")), format="xml", encoding="utf-8")


SPREADSHEETML = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="First"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table></Worksheet>
<Worksheet ss:Name="2023"><Table>
<Row><Cell ss:MergeAcross="1"><Data ss:Type="String">code</Data></Cell><Cell><Data ss:Type="String">v</Data></Cell><Cell ss:Index="5"><Data
 ss:Type="String">day</Data></Cell></Row>
<Row ss:Index="4"><Cell><Data ss:Type="String">t<B xmlns="http://www.w3.org/TR/REC-html40">1</B></Data></Cell><Cell ss:Index="3"><Data
 ss:Type="Number">1.50</Data></Cell><Cell ss:Index="5"><Data ss:Type="DateTime">2023-01-31T00:00:00.000</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">t2</Data></Cell><Cell ss:Index="3"><Data ss:Type="Error">#REF!</Data></Cell></Row>
</Table></Worksheet></Workbook>
"""

FAILED = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
ODS = f"""\
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:calcext="urn:org:documentfoundation:names:\
experimental:calc:xmlns:calcext:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:\
opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:spreadsheet>
<table:table table:name="Other"><table:table-row><table:table-cell {FAILED}><text:p>#REF!</text:p></table:table-cell></table:table-row></table:table>
<table:table table:name="Data">
<table:table-row>{"".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in ("code", "v", "w"))}
</table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>t1</text:p></table:table-cell><table:table-cell/>
<table:table-cell {FAILED}><office:annotation><text:p>why?</text:p></office:annotation><text:p>#DIV/0!</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string"><text:p>t2</text:p></table:table-cell>
<table:table-cell table:number-columns-repeated="2" {FAILED}><text:p>Err:502</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>t3</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="0" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>
"""


class TestWorkbooks:
    def test_of_excel_2003_in_xml(self, file: File) -> None:
        result = rows(file(SPREADSHEETML), format="xls", sheet="2023")
        assert result == [
            {"code": "t1", "v": "1.5", "day": "2023-01-31T00:00:00", "__row": 4}, {"code": "t2", "v": "#REF!", "__row": 5},
        ]  # fmt: skip
        with pytest.raises(UnreadableSnapshot, match="no sheet named x; it has 0 First, 1 2023"):
            rows(file(SPREADSHEETML), format="xls", sheet="x")
        for far in ('ss:Index="99999999"', 'ss:Index="1000000"'):
            moved = SPREADSHEETML.replace('ss:Index="4"', far).replace('<Cell ss:Index="5">', '<Cell ss:Index="16000">')
            with pytest.raises(UnreadableSnapshot, match=r"not a position|far away"):
                rows(file(moved), format="xls", sheet="2023")

    def test_error_cells_are_shown(self, workbook: Callable[..., Path]) -> None:
        path = workbook(Other=[["#N/A"]], Data=[["code", "v", "w"], ["t1", None, "#DIV/0!"], ["t2", "#REF!", 5]])
        assert rows(path, format="xlsx", sheet="Data") == [
            {"code": "t1", "w": "#DIV/0!", "__row": 2}, {"code": "t2", "v": "#REF!", "w": "5", "__row": 3},
        ]  # fmt: skip

    def test_error_cells_without_positions_are_shown(self, workbook: Callable[..., Path]) -> None:
        path = workbook(Data=[["code", "v", "w"], ["t1", "#N/A", "#DIV/0!"], ["t2", 5, "#REF!"]])
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, re.sub(rb' r="[A-Z]*[0-9]+"', b"", content) if "worksheets" in name else content)
        assert rows(path, format="xlsx") == [
            {"code": "t1", "v": "#N/A", "w": "#DIV/0!", "__row": 2}, {"code": "t2", "v": "5", "w": "#REF!", "__row": 3},
        ]  # fmt: skip

    def test_error_cells_of_ods_are_shown(self, tmp_path: Path) -> None:
        path = tmp_path / "book.ods"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("META-INF/manifest.xml", "<manifest/>")
            archive.writestr("content.xml", ODS.replace("\n", ""))
        assert rows(path, format="ods", sheet="Data") == [
            {"code": "t1", "w": "#DIV/0!", "__row": 2},
            {"code": "t2", "v": "Err:502", "w": "Err:502", "__row": 3},
            {"code": "t2", "v": "Err:502", "w": "Err:502", "__row": 4},
            {"code": "t3", "v": "1", "w": "#N/A", "__row": 5},
        ]

    @pytest.mark.parametrize("text", ["#DIV/0!", "Err:502"])
    def test_error_cells_are_refused_with_the_error(self, text: str) -> None:
        reasons = explain_failures(pl.Series([text]), "number", None, None).to_list()
        assert reasons == [f"the workbook has the error {text} here"]


class TestFillDown:
    def test_takes_the_text_above(self, file: File) -> None:
        path = file("region,town,v\nA,x,1\n,y,2\nB,,3\n,z,4\n")
        result = rows(path, format="csv", fill_down=["region"])
        assert [(row["region"], row.get("town")) for row in result] == [("A", "x"), ("A", "y"), ("B", None), ("B", "z")]
        with pytest.raises(UnreadableSnapshot, match="fill_down: the file has no column Region; it has region, town, v"):
            rows(path, format="csv", fill_down=["Region"])


class TestUnpivot:
    WIDE = "code,name,M 0-14,F 0-14,M 15+\nt1,A,1,2,3\nt2,B,4,,6\n"

    def test_by_pattern_with_groups(self, file: File) -> None:
        spec = {"pattern": r"(?P<sex>[MF]) (?P<age>.+)", "value": "n"}
        result = rows(file(self.WIDE), ["code", "sex", "age", "n"], format="csv", unpivot=spec)
        assert result[:3] == [
            {"code": "t1", "column": "M 0-14", "sex": "M", "age": "0-14", "n": "1", "__row": 2, "__cell": "M 0-14"},
            {"code": "t1", "column": "F 0-14", "sex": "F", "age": "0-14", "n": "2", "__row": 2, "__cell": "F 0-14"},
            {"code": "t1", "column": "M 15+", "sex": "M", "age": "15+", "n": "3", "__row": 2, "__cell": "M 15+"},
        ]  # fmt: skip
        assert [row.get("n") for row in result[3:]] == ["4", None, "6"]

    def test_by_list(self, file: File) -> None:
        result = rows(file("code,2022,2023\nt1,1,2\n"), format="csv", unpivot={"columns": ["2022", "2023"], "name": "year"})
        assert [(row["year"], row["value"]) for row in result] == [("2022", "1"), ("2023", "2")]

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ({"pattern": "[0-9]{4}"}, r"unpivot: no column of the file matches \[0-9\]\{4\}; it has code, name, M 0-14"),
            ({"columns": ["M 0-14", "M 99"]}, "unpivot: the file has no column M 99"),
            ({"pattern": "[MF] .*", "value": "name"}, "unpivot: the file has a column name; give the new column another name"),
        ],
    )
    def test_says_what_does_not_fit(self, file: File, spec: dict[str, Any], message: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=message):
            rows(file(self.WIDE), format="csv", unpivot=spec)

    @pytest.mark.parametrize(
        "spec", [{}, {"columns": ["a"], "pattern": "a"}, {"pattern": "("}, {"pattern": "(?P<value>x)"}, {"columns": []}]
    )
    def test_refuses_wrong_declarations(self, spec: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="unpivot"):
            ReadOptions(format="csv", unpivot=spec)  # type: ignore[arg-type]

    def test_keeps_typed_numbers_and_the_place_of_refused_cells(self, tmp_path: Path) -> None:
        source = """\
fetch: {url: data/x.json}
read: {format: json, decimal: ",", unpivot: {pattern: "y(?P<year>[0-9]{4})", value: v}, ignore: "year = '2024'"}
columns: {code: {required: true}, year: {}, v: {type: number}}
into: observations
map: {area: {scheme: office, code: code}, period: year, measures: {m: v}}
"""
        records = [{"code": "t1", "y2022": 1.234, "y2023": "2,5", "y2024": 1}, {"code": "t2", "y2022": "x", "y2023": 7}]
        result = ingest(tmp_path, source, {"x.json": json.dumps(records)})
        assert result.values() == {("t1", "2022"): 1.234, ("t1", "2023"): 2.5, ("t2", "2022"): None, ("t2", "2023"): 7.0}
        assert result.quarantine.select("row_number", "cell", "column", "reason").rows() == [(2, "y2022", "v", "not a number")]
        assert result.counts() == (6, 4, 0, {"ignore": 2})

    def test_needed_columns_include_those_of_the_pattern(self, file: File) -> None:
        columns = Columns(["code", "value"])
        frame = read(file("code,x,y1,y2\nt1,0,1,2\n"), ReadOptions(format="csv", unpivot={"pattern": "y."}), columns)  # type: ignore[arg-type]
        assert frame.columns == ["code", "column", "value", "__row", "__fault", "__cell"]
        assert list(columns.found) == ["code", "x", "y1", "y2"]


class TestVariablesOfParts:
    MAP = "into: observations\nmap: {area: {scheme: office, code: code}, period: year, measures: {m: v}}\n"
    COLUMNS = "columns: {code: {required: true}, v: {type: number}}\n"

    def test_in_sheet(self, tmp_path: Path, workbook: Callable[..., Path]) -> None:
        book = workbook(**{"2022": [["code", "v"], ["t1", 1]], "2023": [["code", "v"], ["t1", 2]]})
        source = (
            'fetch: {url: data/x.xlsx, parts: {year: [2022, 2023, 2024]}}\nread: {format: xlsx, sheet: "{year}"}\n'
            + self.COLUMNS
            + self.MAP
        )
        result = ingest(tmp_path / "run", source, {"x.xlsx": book.read_bytes()})
        assert result.values() == {("t1", "2022"): 1.0, ("t1", "2023"): 2.0}
        assert "the workbook has no sheet named 2024" in result.report.errors["year=2024"]

    def test_in_member(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for year, value in ((2022, 1), (2023, 2)):
                archive.writestr(f"data\\{year}.csv", f"code,v\nt1,{value}\n")
        source = (
            "fetch: {url: data/x.zip, parts: {year: [2022, 2023]}}\nread: {format: csv, member: 'data\\{year}.csv'}\n"
            + self.COLUMNS
            + self.MAP
        )
        result = ingest(tmp_path / "run", source, {"x.zip": (tmp_path / "x.zip").read_bytes()})
        assert result.values() == {("t1", "2022"): 1.0, ("t1", "2023"): 2.0}

    def test_in_records(self, tmp_path: Path) -> None:
        source = (
            'fetch: {url: data/x.json, parts: {year: [2022, 2023]}}\nread: {format: json, records: "/y{year}"}\n' + self.COLUMNS + self.MAP
        )
        document = {"y2022": [{"code": "t1", "v": 1}], "y2023": [{"code": "t1", "v": 2}]}
        result = ingest(tmp_path, source, {"x.json": json.dumps(document)})
        assert result.values() == {("t1", "2022"): 1.0, ("t1", "2023"): 2.0}

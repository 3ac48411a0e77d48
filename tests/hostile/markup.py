"""Cases of structured documents that are broken or hostile: JSON, XML, JSON-stat, GeoJSON, Eurostat's tables, web pages."""

from __future__ import annotations

import json
from typing import Any

from tests.hostile.case import BRNO, PRAHA, Bad, Case, Outcome, table

GROUP = "Documents"
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
ONE = Outcome(((PRAHA, 1.0),))
JSON, XML, STAT, GEO = (f"{{format: {name}}}" for name in ("json", "xml", "jsonstat", "geojson"))
RECORDS = [{"code": "554782", "value": 1}, {"code": "582786", "value": 2}]
ROW = "<r><code>554782</code><value>1</value></r>"


def js(case: str, what: str, body: bytes | str, outcome: Outcome, **more: Any) -> Case:
    return Case(case, GROUP, what, body.encode() if isinstance(body, str) else body, outcome, name=f"{case}.json", **{"read": JSON, **more})


def xml(case: str, what: str, body: str, outcome: Outcome, **more: Any) -> Case:
    return Case(case, GROUP, what, body.encode(), outcome, name=f"{case}.xml", **{"read": XML, **more})


def stat(case: str, what: str, outcome: Outcome, **changes: Any) -> Case:
    cube: dict[str, Any] = {
        "version": "2.0", "class": "dataset", "id": ["area", "year"], "size": [2, 1],
        "dimension": {"area": {"category": {"index": ["554782", "582786"]}}, "year": {"category": {"index": {"2021": 0}}}}, "value": [1, 2],
    }  # fmt: skip
    for key, value in changes.items():
        cube.pop(key) if value is None else cube.update({key: value})
    return Case(case, GROUP, what, json.dumps(cube).encode(), outcome, name=f"{case}.json", read=STAT,
                columns="{code: {from: area, required: true}, year: {}, value: {type: number}}", period="year")  # fmt: skip


def _laughs() -> str:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE l [<!ENTITY l0 "ha">{entities}]><l><r><code>&l9;</code></r></l>'


def feature(code: str, value: int, geometry: object) -> dict[str, object]:
    return {"type": "Feature", "properties": {"code": code, "value": value}, "geometry": geometry}


def geo(case: str, what: str, features: object, outcome: Outcome) -> Case:
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return Case(case, GROUP, what, body, outcome, name=f"{case}.geojson", read=GEO)


def topo(case: str, what: str, geometries: object, outcome: Outcome, **members: object) -> Case:
    square = [[0, 0], [0, 9], [9, 0], [0, -9], [-9, 0]]
    document = {"type": "Topology", "objects": {"o": {"geometries": geometries}}, "arcs": [square]}
    document["transform"] = {"scale": [0.01, 0.01], "translate": [14, 50]}
    return Case(case, GROUP, what, json.dumps(document | members).encode(), outcome, name=f"{case}.json", read="{format: topojson}")


def polygon(code: str, value: int, arcs: object) -> dict[str, object]:
    return {"type": "Polygon", "properties": {"code": code, "value": value}, "arcs": arcs}


POINT = {"type": "Point", "coordinates": [14.4, 50.1]}
NO_GEOMETRY = "the geometry is not valid"
DTD = "a document type or entity declaration is not allowed"

CASES = [
    # JSON
    js("json_truncated", "JSON cut off", '[{"code": "554782", "value": 1}, {"code": "58', Outcome(refused="not JSON")),
    js("json_trailing", "text behind the end of a JSON document", json.dumps(RECORDS) + "\nOK",
             Outcome(refused="line 2: not JSON: Extra data")),
    js("json_lines", "a JSON document in each line (NDJSON)", "\n".join(map(json.dumps, RECORDS)), BOTH),
    js("json_is_html", "a web page where JSON is expected", "<!DOCTYPE html><html><body>Log in</body></html>",
             Outcome(refused="a web page in place of data")),
    js("json_is_html_fragment", "a web page without its usual beginning where JSON is expected", "<div>503 Service Unavailable</div>",
             Outcome(refused="a web page in place of data")),
    js("json_error_object", "an error in JSON with status 200: no list of records", '{"error": {"code": 500, "message": "timeout"}}',
       Outcome(refused="the server answered with an error in place of data")),
    js("json_error_status", "a state in JSON with status 200, and an empty list of records",
       '{"status": "error", "message": "quota exceeded", "results": []}', Outcome(refused="quota exceeded"),
       read="{format: json, records: /results}"),
    js("json_null", "`null` where records are expected", "null", Outcome(refused="expected a list, but the document is null")),
    js("json_empty_list", "an empty list of records: not even the names of the columns are there", "[]",
             Outcome(refused="the file has no column code")),
    js("json_deep_lists", "a hundred thousand lists inside each other", "[" * 100_000 + "]" * 100_000,
             Outcome(refused="nested too deeply")),
    js("json_deep_records", "a record a hundred objects deep",
             '[{"code": "554782", "value": 1, "x": ' + '{"a": ' * 100 + "1" + "}" * 100 + "}]",
             Outcome(refused="nested more than 32 deep")),
    js("json_deep_list_in_record", "a record with five hundred lists inside each other",
             '[{"code": "554782", "value": 1, "x": ' + "[" * 500 + "]" * 500 + "}]",
       Outcome(refused="nested too deeply")),
    js("json_duplicate_keys", "a key twice in one record: JSON's readers take the last, and nothing tells which was meant",
       '[{"code": "554782", "value": 1, "value": 99}, {"code": "582786", "value": 2}]', Outcome(((BRNO, 2.0),), (Bad(1, None,
       "repeated key value"),))),
    js("json_huge_number", "a number of a million digits: it is text until a type is asked for",
             '[{"code": "554782", "value": 1}, {"code": "582786", "value": ' + "9" * 1_000_000 + "}]",
       Outcome(((PRAHA, 1.0),), (Bad(2, "value", "too large"),))),
    js("json_huge_exponent", "an exponent of nine digits", '[{"code": "554782", "value": 1}, {"code": "582786", "value": 1e999999999}]',
       Outcome(((PRAHA, 1.0),), (Bad(2, "value", "too large"),))),
    js("json_mixed_records", "records that are no objects among objects",
             '[{"code": "554782", "value": 1}, 7, null, "x", [1], {"code": "582786", "value": 2}]',
       Outcome(((PRAHA, 1.0), (BRNO, 2.0)), tuple(Bad(i, None, f"expected an object, not {kind}") for i, kind in ((2, "a number"), (3,
       "null"), (4, "a string"), (5, "a list"))))),
    js("json_value_is_object", "an object where a value is expected",
             '[{"code": "554782", "value": {"amount": 1}}, {"code": "582786", "value": 2}]',
       Outcome(((PRAHA, None), (BRNO, 2.0)))),
    js("json_keys_are_data", "records whose keys are data: a column for each of six thousand", json.dumps([{"code": "554782",
             f"k{i}": i} for i in range(6_000)]),
       Outcome(refused="more than 5000 different keys")),
    js("json_colliding_keys", "keys that flatten to one name", '[{"code": "554782", "value": 1, "a/b": 5, "a": {"b": 6}}]', ONE),
    js("json_proto", "keys that are names inside of languages",
             '[{"code": "554782", "value": 1, "__proto__": {"x": 1}, "__class__": 2, "__row": 9, "": 3}]', ONE),
    js("json_comments", "comments and a trailing comma, which JSON does not have", '[{"code": "554782", "value": 1}, // note\n]',
             Outcome(refused="not JSON")),
    js("json_pointer_missing", "the list is not where the pack looks for it", '{"data": {"items": []}}',
             Outcome(refused="records: no value at /result/records"),
       read="{format: json, records: /result/records}"),
    # XML
    xml("billion_laughs", "entities that unfold to a billion words", _laughs(), Outcome(refused=DTD)),
    xml("quadratic_blowup", "one long entity, used ten thousand times",
             f'<!DOCTYPE l [<!ENTITY a "{"x" * 10_000}">]><l><r><code>{"&a;" * 10_000}</code></r></l>', Outcome(refused=DTD)),
    xml("external_entity", "an entity that is a file of the machine",
             '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l><r><code>&x;</code></r></l>', Outcome(refused=DTD)),
    xml("external_dtd", "a document type on another server", '<!DOCTYPE l SYSTEM "http://169.254.169.254/x.dtd"><l>' + ROW + "</l>",
             Outcome(refused=DTD)),
    xml("parameter_entity", "a parameter entity that sends a file away",
             '<!DOCTYPE l [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><l>' + ROW + "</l>", Outcome(refused=DTD)),
    xml("plain_dtd", "a document type that declares nothing", "<!DOCTYPE l><l>" + ROW + "</l>", Outcome(refused=DTD)),
    xml("xinclude", "an inclusion of a file, which nobody follows",
             '<l xmlns:xi="http://www.w3.org/2001/XInclude">' + ROW + '<xi:include href="file:///etc/passwd" parse="text"/></l>',
        Outcome(((PRAHA, 1.0),), (Bad(2, None, "code: required, but empty"),))),
    xml("xml_deep", "a hundred thousand elements inside each other", "<l>" + "<r>" * 100_000 + "</r>" * 100_000 + "</l>",
             Outcome(refused="nested more than 64 deep")),
    xml("xml_truncated", "XML cut off", "<l>" + ROW + "<r><code>58", Outcome(refused="not XML: no element found")),
    xml("xml_two_roots", "two documents in one file", "<l>" + ROW + "</l><l>" + ROW + "</l>",
             Outcome(refused="not XML: junk after document element")),
    xml("xml_undefined_entity", "an entity of web pages (`&nbsp;`), which XML does not know",
             "<l><r><code>554782</code><value>1&nbsp;234</value></r></l>", Outcome(refused="not XML: undefined entity")),
    xml("xml_control_character", "a control character as a reference", "<l><r><code>554782</code><value>1&#7;</value></r></l>",
             Outcome(refused="not XML: reference to invalid character number")),
    xml("xml_attributes", "ten thousand different attributes",
             "<l><r><code>554782</code><x " + " ".join(f'a{i}="1"' for i in range(10_000)) + "/></r></l>",
             Outcome(refused="more than 5000 different elements and attributes")),
    xml("xml_cdata", "markup inside a text that is marked as no markup",
             "<l><r><code><![CDATA[554782]]></code><value>1</value><note><![CDATA[<script>]]></note></r></l>", ONE),
    xml("xml_no_records", "no record at the declared path", "<l>" + ROW + "</l>", Outcome(refused="records: no element at /l/item"),
             read="{format: xml, records: /l/item}"),
    xml("xml_repeated_element", "an element twice in one record: the second is another column, not the value",
             "<l><r><code>554782</code><value>1</value><value>99</value></r></l>", ONE),
    # JSON-stat
    stat("jsonstat_whole", "a cube", BOTH),
    stat("jsonstat_few_values", "fewer values than the sizes multiply to", Outcome(refused="1 values, expected 2"), value=[1]),
    stat("jsonstat_many_values", "more values than the sizes multiply to", Outcome(refused="3 values, expected 2"), value=[1, 2, 3]),
    stat("jsonstat_wrong_size", "a size that is not that of its dimension",
             Outcome(refused="dimension area has 2 categories, expected 3"), size=[3, 1], value=[1, 2, 3]),
    stat("jsonstat_huge_size", "sizes that multiply to a trillion cells, none of which is there", Outcome(refused="1000000000000 cells"),
             size=[1_000_000, 1_000_000], value={}),
    stat("jsonstat_negative_size", "a negative size", Outcome(refused="dimension area has the size -2"), size=[-2, -1]),
    stat("jsonstat_zero_size", "a dimension without categories", Outcome(refused="dimension area has the size 0"), size=[0, 1], value=[]),
    stat("jsonstat_size_missing", "no sizes", Outcome(refused="expected id and size"), size=None),
    stat("jsonstat_unknown_id", "a dimension that is not described", Outcome(refused="dimension sex is not described"), id=["area", "sex"]),
    stat("jsonstat_sparse_outside", "a sparse value beyond the last cell", Outcome(refused="cell 7 does not exist"),
             value={"0": 1, "7": 2}),
    stat("jsonstat_sparse_words", "a sparse value at a place that is no number", Outcome(refused="its keys must be positions of cells"),
             value={"0": 1, "x": 2}),
    stat("jsonstat_index_no_numbers", "positions of categories that are no numbers", Outcome(refused="dimension area"),
         dimension={"area": {"category": {"index": {"554782": "a", "582786": None}}}, "year": {"category": {"index": {"2021": 0}}}}),
    stat("jsonstat_index_twice", "two categories at one position", Outcome(refused="dimension area"),
         dimension={"area": {"category": {"index": {"554782": 0, "582786": 0}}}, "year": {"category": {"index": {"2021": 0}}}}),
    stat("jsonstat_index_beyond", "a category at a position that the dimension does not have", Outcome(refused="dimension area"),
         dimension={"area": {"category": {"index": {"554782": 0, "582786": 5}}}, "year": {"category": {"index": {"2021": 0}}}}),
    stat("jsonstat_same_dimension_twice", "one dimension twice in `id`", Outcome(refused="area"), id=["area", "area"], size=[2, 2],
             value=[1, 2, 3, 4]),
    stat("jsonstat_short_status", "a status for some cells only, as a list", Outcome(refused="status: 3 entries, expected 2"),
             status=["a", "b", "c"]),
    stat("jsonstat_empty_status", "a status that is an empty list", Outcome(refused="status: 0 entries, expected 2"), status=[]),
    stat("jsonstat_value_objects", "objects where values are expected", Outcome((), (Bad(1, "value", "not a number"), Bad(2, "value",
             "not a number"))), value=[{"v": 1}, [2]]),
    js("jsonstat_metadata_only", "metadata without values", '{"version": "2.0", "class": "dataset", "href": "https://x.invalid/d.json"}',
             Outcome(refused="has only metadata and no values"), read=STAT),
    js("jsonstat_is_a_list", "a list where a cube is expected", "[1, 2]", Outcome(refused="expected a JSON-stat object"), read=STAT),
    js("jsonstat_link_is_text", "a collection whose list of items is a text", '{"class": "collection", "link": "https://x.invalid"}',
             Outcome(refused="records"), read=STAT),
    # Eurostat
    Case("eurostat_ragged", GROUP, "a line with a cell too few", b"unit,geo\\time\t2020 \t2021 \nNR,554782\t1 \t2 p\nNR,582786\t3 \n",
         Outcome(((PRAHA, 1.0, "2020"), (PRAHA, 2.0, "2021")), (Bad(3, None, "2 dimensions and 1 values, expected 2 and 2"),) * 2),
         name="ragged.tsv", read="{format: eurostat-tsv}",
         columns="{code: {from: geo, required: true}, time_period: {required: true}, value: {type: number}}", period="time_period"),
    Case("eurostat_no_corner", GROUP, "a table without the corner cell of dimensions", b"geo\t2020\n554782\t1\n",
             Outcome(refused="expected a header such as unit,geo\\time"),
         name="corner.tsv", read="{format: eurostat-tsv}", columns="{code: {from: geo, required: true}, value: {type: number}}"),
    # GeoJSON
    geo("geojson_broken", "broken geometries: too few numbers, words, nothing, an unknown kind", [
        feature("554782", 1, POINT), feature("1", 2, {"type": "Point", "coordinates": [14]}), feature("2", 3, {"type": "Point",
        "coordinates": ["a", "b"]}),
        feature("3", 4, {"type": "Polygon", "coordinates": []}), feature("4", 5, {"type": "LineString", "coordinates": [[]]}), feature("5",
        6, "x"),
    ], Outcome(((PRAHA, 1.0),), tuple(Bad(i, None, NO_GEOMETRY) for i in range(2, 7)))),
    geo("geojson_not_features", "features that are none, and properties that are no object", [feature("554782", 1, None), 7,
             {"type": "Point"}, {"type": "Feature", "properties": [1], "geometry": None}],
        Outcome(((PRAHA, 1.0),), (Bad(2, None, "expected a feature"), Bad(3, None, "expected a feature"), Bad(4, None,
        "code: required, but empty")))),
    geo("geojson_nan", "coordinates that are NaN or infinite", [feature("554782", 1, POINT), feature("582786", 2, {"type": "Point",
             "coordinates": [float("nan"), float("inf")]})],
        Outcome(((PRAHA, 1.0),), (Bad(2, None, NO_GEOMETRY),))),
    geo("geojson_deep", "coordinates nested a thousand deep", [feature("554782", 1, POINT), feature("582786", 2, {"type": "MultiPolygon",
             "coordinates": json.loads("[" * 900 + "]" * 900)})],
        Outcome(((PRAHA, 1.0),), (Bad(2, None, NO_GEOMETRY),))),
    geo("geojson_no_list", "features that are no list", {"a": 1}, Outcome(refused="expected a FeatureCollection")),
    # TopoJSON
    topo("topojson_arcs", "arcs that do not exist or are none", [polygon("554782", 1, [[0]]), polygon("1", 2, [[1]]), polygon("2", 3, [[-2]]),
             polygon("3", 4, [["a"]]), polygon("4", 5, "0")],
        Outcome(((PRAHA, 1.0),), (Bad(2, None, "there is no arc 1, only 1"), Bad(3, None, "there is no arc 1, only 1"),
        Bad(4, None, "the arcs of the geometry are not valid"), Bad(5, None, "the arcs of the geometry are not valid")))),
    topo("topojson_bomb", "an arc that a polygon names two million times", [polygon("554782", 1, [[0] * 2_000_001])],
        Outcome(refused="the polygons have more than 10000000 points")),
    topo("topojson_transform", "a transform that is not a number", [], Outcome(refused="transform: expected scale and translate"),
         transform={"scale": [float("nan"), 1], "translate": [0, 0]}),
    # web pages and others
    Case("csv_is_html", GROUP, "a web page where a table is expected",
             b"\n<!doctype HTML>\n<html><table><tr><td>554782</td></tr></table></html>", Outcome(refused="a web page in place of data")),
    Case("csv_is_json", GROUP, "JSON where a table is expected", json.dumps(RECORDS).encode(), Outcome(refused="the header cannot be read")),
    Case("csv_is_pdf", GROUP, "a PDF file where a table is expected", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
             Outcome(refused="a PDF document")),
    Case("csv_is_xhtml", GROUP, "a page of XHTML behind a comment, where a table is expected",
         b'<?xml version="1.0"?>\n<!-- portal -->\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x">\n<html><title>Sign in</title></html>',
         Outcome(refused="a web page in place of data (Sign in)")),
    Case("csv_below_php", GROUP, "a warning of PHP above the header",
         b"<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/export.php</b> on line <b>12</b><br />\ncode,value\n554782,1\n",
         Outcome(refused="a message of PHP above or in place of the data: Warning: Undefined variable")),
    Case("csv_is_zstd", GROUP, "a compression that is not supported", b"\x28\xb5\x2f\xfd\x24\x00", Outcome(refused="compressed with zstd")),
    Case("csv_is_json_error", GROUP, "an error in JSON where a table is expected", b'{"success": false, "error": {"message": "no such view"}}',
         Outcome(refused="the server answered with an error in place of data")),
    Case("xls_is_html", GROUP, "a web page under the name of a workbook", b"<table><tr><td>code</td></tr></table>",
         Outcome(refused="an HTML document under the name of a workbook (xls)"), name="page.xls", read="{format: xls}"),
    Case("parquet_is_csv", GROUP, "a table of text where Parquet is expected", table("554782,1"), Outcome(refused="not a Parquet file"),
             name="text.parquet", read="{format: parquet}"),
    Case("parquet_truncated", GROUP, "a Parquet file cut off", b"PAR1" + b"\0" * 100, Outcome(refused="not a Parquet file"),
             name="cut.parquet", read="{format: parquet}"),
]  # fmt: skip

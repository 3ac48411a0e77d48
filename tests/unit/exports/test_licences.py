"""The licence of what is made from several sources: a share-alike source decides it, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from release_sample import INFO, TABLES, Home, warehouse

from exports.model.licences import combined

SHARED = {**INFO.sources[1], "licence": "CC-BY-SA-4.0", "rights": {}}


@pytest.mark.parametrize(
    ("own", "sources", "expected"),
    [
        ("CC-BY-4.0", ["CC0-1.0", "NOASSERTION"], "CC-BY-4.0"),
        ("CC-BY-4.0", ["CC-BY-4.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0"),
        ("CC-BY-SA-4.0", ["CC-BY-SA-3.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0"),
        ("NOASSERTION", ["ODbL-1.0"], "ODbL-1.0"),
        ("CC-BY-4.0", [], "CC-BY-4.0"),
    ],
)
def test_a_share_alike_source_decides_the_licence(own: str, sources: list[str], expected: str) -> None:
    assert combined(own, sources) == expected


@pytest.mark.slow
def test_tables_and_documents_state_the_licence_of_what_they_are_made_from(
    tmp_path: Path,
) -> None:
    info = replace(INFO, licence="CC-BY-4.0", sources=[INFO.sources[0], SHARED], sources_of={"": ["office"], "share": ["town"]})
    release = Home(tmp_path).build(warehouse(tmp_path / "warehouse.duckdb"), info, TABLES).path
    licences = {path.stem: pq.read_metadata(path).metadata[b"licence"].decode() for path in (release / "parquet").glob("*.parquet")}
    assert {licences.pop(name) for name in ("areas", "area_parents", "peers")} == {"CC-BY-4.0"}
    assert set(licences.values()) == {"CC-BY-SA-4.0"}
    package = json.loads((release / "datapackage.json").read_bytes())
    assert [licence["name"] for licence in package["licenses"]] == ["CC-BY-SA-4.0"]
    assert {r["name"]: r["licenses"][0]["name"] for r in package["resources"]}["areas"] == "CC-BY-4.0"
    code_lists = json.loads((release / "codelists" / "csv-metadata.json").read_bytes())["tables"]
    assert len(code_lists) == 2
    assert all(table["dc:license"]["@id"].endswith("/by/4.0/") for table in code_lists), "code lists are made from no source"
    described = json.loads((release / "csv" / "csv-metadata.json").read_bytes())["tables"]
    of_tables = {table["url"]: table["dc:license"]["@id"] for table in described if "dc:license" in table}
    assert of_tables["areas.csv"].endswith("/by/4.0/")
    assert of_tables["latest_values.csv"].endswith("/by-sa/4.0/")
    readme = (release / "README.md").read_text(encoding="utf-8")
    assert "CC-BY-SA-4.0](https://creativecommons.org/licenses/by-sa/4.0/). A source with this licence decides it." in readme
    assert "under [CC-BY-4.0]" in readme
    for name in ("CITATION.cff", "croissant.json", "pages.json"):
        text = (release / name).read_text(encoding="utf-8")
        assert "CC-BY-SA-4.0" in text or "by-sa/4.0" in text, name

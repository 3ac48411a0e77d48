"""SDMX messages in XML: what a series, a group or the data set says reaches the rows of the observations, in both kinds of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, read

SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas"
NAMES = f'xmlns:m="{SCHEMAS}/v2_1/message" xmlns:g="{SCHEMAS}/v2_1/data/generic" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def pairs(**values: str) -> str:
    return "".join(f'<g:Value id="{name}" value="{value}"/>' for name, value in values.items())


def observation(period: str, value: str, **attributes: str) -> str:
    around = f"<g:Attributes>{pairs(**attributes)}</g:Attributes>" if attributes else ""
    return f'<g:Obs><g:ObsDimension value="{period}"/><g:ObsValue value="{value}"/>{around}</g:Obs>'


GENERIC = f"""<m:GenericData {NAMES}>
<m:Header><m:Structure structureID="S" dimensionAtObservation="TIME_PERIOD"/></m:Header>
<m:DataSet structureRef="S"><g:Attributes>{pairs(SOURCE="office")}</g:Attributes>
<g:Group type="Sibling"><g:GroupKey>{pairs(GEO="A1")}</g:GroupKey><g:Attributes>{pairs(UNIT="PERS", NOTE="g")}</g:Attributes></g:Group>
<g:Group type="Sibling"><g:GroupKey>{pairs(GEO="A2")}</g:GroupKey><g:Attributes>{pairs(UNIT="KILO")}</g:Attributes></g:Group>
<g:Series><g:SeriesKey>{pairs(SEX="M", GEO="A1")}</g:SeriesKey><g:Attributes>{pairs(NOTE="s", OBS_STATUS="A")}</g:Attributes>
{observation("2020", "1")}{observation("2021", "2", OBS_STATUS="P")}</g:Series>
<g:Series><g:SeriesKey>{pairs(SEX="F", GEO="A2")}</g:SeriesKey>{observation("2020", "3")}</g:Series>
</m:DataSet>
<m:DataSet><g:Series><g:SeriesKey>{pairs(SEX="F", GEO="A1")}</g:SeriesKey>{observation("2020", "4")}</g:Series></m:DataSet>
</m:GenericData>"""

STRUCTURED = f"""<m:StructureSpecificData {NAMES} xmlns:d="urn:sdmx:own">
<m:DataSet SOURCE="office" xsi:type="d:DataSetType">
<Group xsi:type="d:Sibling" GEO="A1" UNIT="PERS" NOTE="g"/><Group xsi:type="d:Sibling" GEO="A2" UNIT="KILO"/>
<Series SEX="M" GEO="A1" NOTE="s" OBS_STATUS="A">
<Obs TIME_PERIOD="2020" OBS_VALUE="1"/><Obs TIME_PERIOD="2021" OBS_VALUE="2" OBS_STATUS="P"/></Series>
<Series SEX="F" GEO="A2"><Obs TIME_PERIOD="2020" OBS_VALUE="3"/></Series>
</m:DataSet>
<m:DataSet><Series SEX="F" GEO="A1"><Obs TIME_PERIOD="2020" OBS_VALUE="4"/></Series></m:DataSet>
</m:StructureSpecificData>"""

COLUMNS = ("GEO", "SEX", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT", "NOTE", "SOURCE")
EXPECTED = [
    ("A1", "M", "2020", "1", "A", "PERS", "s", "office"),
    ("A1", "M", "2021", "2", "P", "PERS", "s", "office"),
    ("A2", "F", "2020", "3", None, "KILO", None, "office"),
    ("A1", "F", "2020", "4", None, None, None, None),
]


def rows(path: Path, records: str, columns: tuple[str, ...] = COLUMNS) -> list[tuple[str | None, ...]]:
    return read(path, ReadOptions(format="xml", records=records)).select(f"@{name}" for name in columns).rows()


class TestSdmxInXml:
    def test_generic_data(self, file: Callable[[str], Path]) -> None:
        assert rows(file(GENERIC), "/GenericData/DataSet/Series/Obs") == EXPECTED

    def test_structure_specific_data(self, file: Callable[[str], Path]) -> None:
        assert rows(file(STRUCTURED), "/StructureSpecificData/DataSet/Series/Obs") == EXPECTED

    def test_flat_generic_data(self, file: Callable[[str], Path]) -> None:
        text = f"""<m:GenericData {NAMES}><m:Header><m:Structure dimensionAtObservation="AllDimensions"/></m:Header><m:DataSet>
        <g:Group><g:GroupKey>{pairs(GEO="A1")}</g:GroupKey><g:Attributes>{pairs(UNIT="PERS")}</g:Attributes></g:Group>
        <g:Obs><g:ObsKey>{pairs(GEO="A1", TIME_PERIOD="2020")}</g:ObsKey><g:ObsValue value="5"/></g:Obs>
        <g:Obs><g:ObsKey>{pairs(GEO="A2", TIME_PERIOD="2020")}</g:ObsKey><g:ObsValue value="6"/></g:Obs></m:DataSet></m:GenericData>"""
        columns = ("GEO", "TIME_PERIOD", "OBS_VALUE", "UNIT")
        assert rows(file(text), "/GenericData/DataSet/Obs", columns) == [("A1", "2020", "5", "PERS"), ("A2", "2020", "6", None)]

    def test_other_dimension_at_the_observation(self, file: Callable[[str], Path]) -> None:
        text = f"""<m:GenericData {NAMES}><m:Header><m:Structure dimensionAtObservation="GEO"/></m:Header><m:DataSet>
        <g:Series><g:SeriesKey>{pairs(TIME_PERIOD="2020")}</g:SeriesKey>{observation("A1", "5")}</g:Series></m:DataSet></m:GenericData>"""
        assert rows(file(text), "/GenericData/DataSet/Series/Obs", ("GEO", "TIME_PERIOD", "OBS_VALUE")) == [("A1", "2020", "5")]

    def test_groups_behind_the_series_and_with_names_of_their_own(self, file: Callable[[str], Path]) -> None:
        text = f"""<m:CompactData xmlns:m="{SCHEMAS}/v2_0/message"><d:DataSet xmlns:d="urn:own">
        <d:Series GEO="A1" SEX="M"><d:Obs TIME_PERIOD="2020" OBS_VALUE="5"/></d:Series>
        <d:BySex SEX="M" TITLE="men"/><d:ByPlace GEO="A1" UNIT="PERS"/><d:ByPlace GEO="A2" UNIT="KILO"/></d:DataSet></m:CompactData>"""
        assert rows(file(text), "/CompactData/DataSet/Series/Obs", ("GEO", "UNIT", "TITLE", "OBS_VALUE")) == [("A1", "PERS", "men", "5")]

    def test_other_documents_stay_as_they_are(self, file: Callable[[str], Path]) -> None:
        text = '<r><DataSet><Group a="1" b="2"/><Series a="1"><Obs c="3"/></Series></DataSet></r>'
        assert read(file(text), ReadOptions(format="xml", records="/r/DataSet/Series/Obs")).columns[:-2] == ["@c", "@a", "../@a"]

    def test_too_many_kinds_of_groups_are_refused(self, file: Callable[[str], Path]) -> None:
        names = [f"D{i}" for i in range(60)]
        series = "<Series " + " ".join(f'{name}="1"' for name in names) + '><Obs OBS_VALUE="1"/></Series>'
        groups = "".join(f'<Group {name}="1" X="2"/>' for name in names)
        text = f"<m:StructureSpecificData {NAMES}><m:DataSet>{groups}{series}</m:DataSet></m:StructureSpecificData>"
        with pytest.raises(UnreadableSnapshot, match="groups by more than 50"):
            rows(file(text), "/StructureSpecificData/DataSet/Series/Obs")

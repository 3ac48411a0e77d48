"""Write SDMX: the values of an indicator as SDMX-CSV 2.0, and the SDMX-ML 3.0 document with their structure and code lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import polars as pl

from exports.formats import csv
from exports.model import sdmx
from exports.model.info import ReleaseInfo
from exports.model.labels import Labels
from pipelines.core.code_texts import ALL_AGES, Texts, by_language, translated
from pipelines.core.vocabulary import SEXES, STATUSES, sex_name

NAMESPACES = {
    "mes": "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message",
    "str": "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure",
    "com": "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common",
}
URN = "urn:sdmx:org.sdmx.infomodel"
CONCEPTS = {column.name: column.descriptions for column in sdmx.DATA.columns[3:]}
NAMES: Mapping[str, Texts] = {
    "CL_AGE": ("Age groups", "Věkové skupiny", "Vekové skupiny"),
    "CL_AREA": ("Areas", "Území", "Územia"),
    "CL_INDICATOR": ("Indicators", "Ukazatele", "Ukazovatele"),
    "CL_OBS_STATUS": ("Observation status (SDMX)", "Stav hodnoty (SDMX)", "Stav hodnoty (SDMX)"),
    "CL_OWN_STATUS": ("Observation status of this release", "Stav hodnoty v tomto vydání", "Stav hodnoty v tomto vydaní"),
    "CL_SEX": ("Sex", "Pohlaví", "Pohlavie"),
    "INDICATORS": ("Indicators", "Ukazatele", "Ukazovatele"),
    "CONCEPTS": ("Concepts", "Pojmy", "Pojmy"),
}
"""The names of what the structure maintains."""
CODED = {
    "INDICATOR": "CL_INDICATOR",
    "REF_AREA": "CL_AREA",
    "SEX": "CL_SEX",
    "AGE": "CL_AGE",
    "OBS_STATUS": "CL_OBS_STATUS",
    "OWN_STATUS": "CL_OWN_STATUS",
}
Codes = Iterable[tuple[str, Mapping[str, str]]]
"""Codes with their names by language."""


def write(frame: pl.DataFrame, pack: str, path: Path) -> int:
    """Write the rows of one indicator and return their number. Rows without a period are left out: in SDMX every observation has one."""
    frame = frame.filter(pl.col("time_period") != "")
    own = pl.col("obs_status").cast(pl.String)
    data = frame.select(
        pl.lit("dataflow").alias("STRUCTURE"),
        pl.lit(sdmx.dataflow(pack)).alias("STRUCTURE_ID"),
        pl.lit("I").alias("ACTION"),
        *(_coded(frame[name]).alias(name.upper()) for name in ("indicator", "ref_area")),
        pl.col("time_period").alias("TIME_PERIOD"),
        *(_coded(frame[name]).alias(name.upper()) for name in ("sex", "age")),
        pl.col("obs_value").alias("OBS_VALUE"),
        own.replace_strict({code: status.sdmx for code, status in STATUSES.items()}, return_dtype=pl.String).alias("OBS_STATUS"),
        own.alias("OWN_STATUS"),
        pl.col("coverage").alias("COVERAGE"),
        pl.col("unit_measure").alias("UNIT_MEASURE"),
    )
    csv.write(data, path)
    return frame.height


def _coded(texts: pl.Series) -> pl.Series:
    distinct = texts.unique().drop_nulls().to_list()
    codes = {text: sdmx.code(text) for text in distinct if sdmx.code(text) != text}
    return texts.replace(codes) if codes else texts


def write_structure(info: ReleaseInfo, labels: Labels, indicators: Sequence[str], ages: Sequence[str], path: Path) -> None:
    """Write the structure. `indicators` and `ages` are the codes that occur in the values."""
    agency = sdmx.agency(info.pack)
    languages = translated(info.languages)
    lists: dict[str, Codes] = {
        "CL_AGE": [(age, by_language(ALL_AGES, languages) if age == "_T" else {}) for age in ages],
        "CL_AREA": ((area, {info.languages[0]: labels.area(area)}) for area in sorted(labels.areas)),
        "CL_INDICATOR": ((name, labels.indicator(name).titles) for name in indicators),
        "CL_OBS_STATUS": {s.sdmx: {lang: s.sdmx_name(lang) for lang in languages} for s in STATUSES.values()}.items(),
        "CL_OWN_STATUS": [(code, {lang: status.name(lang) for lang in languages}) for code, status in STATUSES.items()],
        "CL_SEX": [(code, {lang: sex_name(code, lang) for lang in languages}) for code in SEXES],
    }
    attributes = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<mes:Structure{attributes}>"]
    lines += [
        f"<mes:Header><mes:ID>{info.pack}</mes:ID><mes:Test>false</mes:Test><mes:Prepared>{info.timestamp}</mes:Prepared>"
        f"<mes:Sender id={quoteattr(agency)}/></mes:Header>",
        "<mes:Structures>",
        "<str:Codelists>",
        *(line for name, codes in lists.items() for line in _code_list(agency, name, codes, languages)),
        "</str:Codelists>",
        *_concepts(agency, languages),
        f"<str:Dataflows><str:Dataflow {_maintained(agency, 'INDICATORS')}>{_names('INDICATORS', languages)}"
        f"<str:Structure>{URN}.datastructure.DataStructure={agency}:INDICATORS({sdmx.VERSION})</str:Structure>"
        "</str:Dataflow></str:Dataflows>",
        *_data_structure(agency, languages),
        "</mes:Structures>",
        "</mes:Structure>",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _maintained(agency: str, name: str) -> str:
    return f'id="{name}" agencyID="{agency}" version="{sdmx.VERSION}"'


def _name(language: str, text: str) -> str:
    return f"<com:Name xml:lang={quoteattr(language)}>{escape(text)}</com:Name>"


def _names(maintained: str, languages: Sequence[str]) -> str:
    return _by_language(by_language(NAMES[maintained], languages))


def _by_language(texts: Mapping[str, str]) -> str:
    return "".join(_name(language, text) for language, text in texts.items())


def _code_list(agency: str, name: str, codes: Codes, languages: Sequence[str]) -> Iterator[str]:
    yield f"<str:Codelist {_maintained(agency, name)}>{_names(name, languages)}"
    for text, names in codes:
        elements = _by_language(names) or _name("en", text)
        yield f"<str:Code id={quoteattr(sdmx.code(text))}>{elements}</str:Code>"
    yield "</str:Codelist>"


def _concepts(agency: str, languages: Sequence[str]) -> Iterator[str]:
    yield f"<str:ConceptSchemes><str:ConceptScheme {_maintained(agency, 'CONCEPTS')}>{_names('CONCEPTS', languages)}"
    for name, descriptions in CONCEPTS.items():
        names = {language: descriptions[language] for language in languages if language in descriptions} or {"en": descriptions["en"]}
        yield f'<str:Concept id="{name}">{_by_language(names)}</str:Concept>'
    yield "</str:ConceptScheme></str:ConceptSchemes>"


def _data_structure(agency: str, languages: Sequence[str]) -> Iterator[str]:
    yield f"<str:DataStructures><str:DataStructure {_maintained(agency, 'INDICATORS')}>{_names('INDICATORS', languages)}"
    yield '<str:DataStructureComponents><str:DimensionList id="DimensionDescriptor">'
    for position, name in enumerate(("INDICATOR", "REF_AREA", "SEX", "AGE"), 1):
        yield f'<str:Dimension id="{name}" position="{position}">{_representation(agency, name)}</str:Dimension>'
    time = '<str:TextFormat textType="ObservationalTimePeriod"/>'
    yield f'<str:TimeDimension id="TIME_PERIOD">{_representation(agency, "TIME_PERIOD", time)}</str:TimeDimension></str:DimensionList>'
    yield '<str:AttributeList id="AttributeDescriptor">'
    of_value = "<str:AttributeRelationship><str:Observation/></str:AttributeRelationship>"
    of_indicator = "<str:AttributeRelationship><str:Dimension>INDICATOR</str:Dimension></str:AttributeRelationship>"
    for name, form, usage, relation in (
        ("OBS_STATUS", "", "mandatory", of_value),
        ("OWN_STATUS", "", "mandatory", of_value),
        ("COVERAGE", '<str:TextFormat textType="Double"/>', "optional", of_value),
        ("UNIT_MEASURE", '<str:TextFormat textType="String"/>', "optional", of_indicator),
    ):
        yield f'<str:Attribute id="{name}" usage="{usage}">{_representation(agency, name, form)}{relation}</str:Attribute>'
    yield '</str:AttributeList><str:MeasureList id="MeasureDescriptor">'
    double = '<str:TextFormat textType="Double"/>'
    yield f'<str:Measure id="OBS_VALUE" usage="optional">{_representation(agency, "OBS_VALUE", double)}</str:Measure></str:MeasureList>'
    yield "</str:DataStructureComponents></str:DataStructure></str:DataStructures>"


def _representation(agency: str, name: str, form: str = "") -> str:
    """Return the concept of a component and its representation: the text format `form`, or the code list that it has."""
    listed = f"<str:Enumeration>{URN}.codelist.Codelist={agency}:{CODED[name]}({sdmx.VERSION})</str:Enumeration>" if name in CODED else form
    return (
        f"<str:ConceptIdentity>{URN}.conceptscheme.Concept={agency}:CONCEPTS({sdmx.VERSION}).{name}</str:ConceptIdentity>"
        f"<str:LocalRepresentation>{listed}</str:LocalRepresentation>"
    )

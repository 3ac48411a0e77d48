"""What the page of each data set says: its texts, extent, files and sources. A data set is a topic of the pack or one that every release has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exports.metadata import wording
from exports.metadata.catalogue import Dataset, dcat_catalogue
from exports.metadata.text import licence_url
from exports.model import layout
from exports.model.info import Context
from exports.model.licences import NO_LICENCE
from exports.model.topics import Topic
from exports.pages.render import format_name
from pipelines.core.code_texts import LANGUAGES

Texts = Mapping[str, str]


@dataclass(frozen=True)
class FileEntry:
    """A file of the release. `bytes` is None if it is not stated, as for the DuckDB file."""

    path: str
    format: str
    titles: Texts
    bytes: int | None = None


WITHOUT_UNIT = "1"
"""The unit of numbers without one."""


@dataclass(frozen=True)
class IndicatorEntry:
    """An indicator with its files. Without `units`, its values have no unit, or the release is of an earlier version of the software."""

    id: str
    titles: Texts
    files: Sequence[FileEntry]
    units: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class DataSetEntry:
    """A data set. `levels` are titles by language, `sources` ids, `creators` the publishers of the sources, `rights` what they allow.

    `issued` and `modified` are the times of the first release that has the data set, and of the last one that changed it. `dictionaries`
    are the paths of the descriptions of its columns.
    """

    id: str
    titles: Texts
    descriptions: Texts
    keywords: Mapping[str, Sequence[str]]
    period: tuple[str, str] | None
    countries: Sequence[str]
    levels: Sequence[Texts]
    licence: str
    licence_url: str
    rights: Texts
    creators: Sequence[str]
    sources: Sequence[str]
    issued: str
    modified: str
    files: Sequence[FileEntry] = field(default_factory=tuple)
    indicators: Sequence[IndicatorEntry] = field(default_factory=tuple)
    dictionaries: Sequence[str] = field(default_factory=tuple)


def entries(context: Context) -> tuple[DataSetEntry, ...]:
    """Return the data sets of a release in their order."""
    return tuple(_entry(context, dataset, dataset.topic) for dataset in dcat_catalogue(context).by_topic if dataset.topic)


def _csv_files(context: Context, topic: Topic) -> list[str]:
    """Return the CSV files with the rows of a data set."""
    tables = [table for table in context.tables if table.name in topic.tables]
    paths = [path for table in tables for path in layout.csv_paths(table, context.files) if path in context.files]
    if topic.is_by_indicator:
        return [path for path in paths if layout.part_of(path) in topic.indicators]
    return paths


def _entry(context: Context, dataset: Dataset, topic: Topic) -> DataSetEntry:
    levels = {level for name in topic.indicators if name in context.facts.extents for level in context.facts.extents[name].levels}
    of_areas = set(context.info.sources_of.get("", ()))  # named last: all data sets have them
    return DataSetEntry(
        id=topic.id,
        titles=dict(topic.titles),
        descriptions=dict(topic.descriptions),
        keywords={language: tuple(words) for language, words in topic.keywords.items()},
        period=dataset.period,
        countries=dataset.places,
        levels=tuple(dict(titles) for level, titles in context.info.levels.items() if not levels or level in levels),
        licence="" if dataset.licence == NO_LICENCE else dataset.licence,
        licence_url=licence_url(dataset.licence) or "",
        rights=dict(dataset.rights),
        creators=dataset.creators,
        sources=tuple(sorted(dataset.sources, key=lambda source: source in of_areas)),
        issued=dataset.issued,
        modified=dataset.modified,
        files=tuple(_files(context, topic)),
        indicators=tuple(indicator_entries(context, topic.indicators) if topic.is_by_indicator else _parts(context, topic)),
        dictionaries=tuple(dict.fromkeys(layout.metadata_path(path) for path in _csv_files(context, topic))),
    )


def _files(context: Context, topic: Topic) -> list[FileEntry]:
    """Return the files of a data set as a whole: its own ones, the workbooks for topics, and the tables of another data set."""
    info = context.info
    files = [
        file_entry(context, path, wording.as_heading(titles))
        for path, titles in (
            (layout.topic_csv_path(topic.id), wording.NEWEST),
            (layout.topic_parquet_path(topic.id), wording.ALL_PERIODS),
        )
        if path in context.files
    ]
    if topic.is_by_indicator:
        files += [
            file_entry(context, path, wording.workbook(language))
            for language in info.languages
            if (path := layout.workbook_path(info.pack, language)) in context.files
        ]
        return files
    for table in context.tables:
        if table.name in topic.tables:
            titles = wording.titles(table.name)
            paths = [] if layout.is_partitioned(table) else layout.csv_paths(table, context.files)
            files += [file_entry(context, path, titles) for path in (*paths, layout.parquet_path(table.name)) if path in context.files]
    return files


def indicator_entries(context: Context, indicators: Sequence[str]) -> list[IndicatorEntry]:
    """Return `indicators` with their files, without those that have none."""
    entries_with_files = []
    for name in indicators:
        paths = [f"{folder}/{name}{suffix}" for folder, suffix in INDICATOR_FILES]
        files = tuple(
            file_entry(context, path, INDICATOR_FILES[folder, suffix])
            for path, (folder, suffix) in zip(paths, INDICATOR_FILES, strict=True)
            if path in context.files
        )
        if files:
            entries_with_files.append(_indicator(context, name, files))
    return entries_with_files


def _parts(context: Context, topic: Topic) -> list[IndicatorEntry]:
    """Return the files for each indicator of the tables of a data set that is not by indicator."""
    entries: dict[str, list[FileEntry]] = {}
    for table in context.tables:
        if table.name in topic.tables and layout.is_partitioned(table):
            names = wording.titles(table.name)
            for path in layout.csv_paths(table, context.files):
                entries.setdefault(layout.part_of(path), []).append(file_entry(context, path, names))
    return [_indicator(context, name, tuple(files)) for name, files in sorted(entries.items())]


def _indicator(context: Context, indicator: str, files: tuple[FileEntry, ...]) -> IndicatorEntry:
    units = {language: unit for language, unit in context.facts.units.get(indicator, {}).items() if unit != WITHOUT_UNIT}
    return IndicatorEntry(indicator, dict(context.facts.indicators.get(indicator, {})), files, units)


def file_entry(context: Context, path: str, titles: Texts) -> FileEntry:
    return FileEntry(path, format_name(path), dict(titles), context.files[path].bytes)


INDICATOR_FILES: Mapping[tuple[str, str], Texts] = {
    ("csv/indicator_values", ".csv"): {},
    ("csv/comparisons", ".csv"): wording.COMPARISONS,
    ("jsonstat", ".json"): {},
    ("sdmx", ".csv"): dict.fromkeys(LANGUAGES, "SDMX"),
}
"""Folders with a file for each indicator, its ending, and what distinguishes their files on a page."""

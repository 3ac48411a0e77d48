"""References in `pack.yml`: parents of levels, time zone, base address, topics, and the measures that weight and compare areas."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from exports.model import topics as exported
from pipelines.packs import site, topics
from pipelines.packs.references.licences import licence_fault
from pipelines.packs.references.names import BUILT_IN_MEASURES, Names, web_address_fault

BLOCK = "pack"


def check(names: Names) -> None:
    """Report the faults of `pack.yml`."""
    head = names.pack.file
    _check_levels(names)
    names.check_texts(BLOCK, ("title",), head.title)
    for i, level in enumerate(head.levels):
        names.check_texts(BLOCK, ("levels", i, "title"), level.title)
    if message := licence_fault(head.licence):
        names.report(BLOCK, ("licence",), message)
    try:
        ZoneInfo(head.timezone)
    except (KeyError, ValueError, OSError):  # a name that is not in the database, or that is a path
        names.report(BLOCK, ("timezone",), f"{head.timezone}: no such time zone")
    if len({language.lower() for language in head.languages}) < len(head.languages):
        names.report(BLOCK, ("languages",), "a language is declared twice")
    if head.publisher and head.publisher.iri and not head.publisher.iri.startswith("urn:"):
        names.check_web_address(BLOCK, ("publisher", "iri"), head.publisher.iri)
    if head.base_uri is not None and (web_address_fault(head.base_uri) or not re.fullmatch(r"https?://[^\s/]+/[^\s\"<>]*", head.base_uri)):
        names.report(BLOCK, ("base_uri",), f"{head.base_uri}: expected an address such as https://data.example.org/zpo2/")
    if head.catalogues and not (head.base_uri or "").startswith("https://"):
        names.report(BLOCK, ("catalogues",), f"{', '.join(head.catalogues)}: national catalogues need a base_uri with https")
    names.check_measure(BLOCK, ("weight",), head.weight)
    for i, attribute in enumerate(head.peers.by if head.peers else []):
        if attribute not in names.measures and attribute not in names.pack.indicators:
            names.report(BLOCK, ("peers", "by", i), f"{attribute}: no such measure or indicator")
    for measure, title in head.measures.items():
        names.check_texts(BLOCK, ("measures", measure), title)
        if measure not in names.measures and measure not in BUILT_IN_MEASURES:
            names.report(BLOCK, ("measures", measure), f"{measure}: no such measure")
    _check_topics(names)
    _check_site(names)


def _check_topics(names: Names) -> None:
    ids: set[str] = set()
    for i, topic in enumerate(names.pack.file.topics or []):
        here = ("topics", i)
        if topic.id in ids:
            names.report(BLOCK, (*here, "id"), f"{topic.id}: is declared twice")
        if topic.id in exported.RESERVED:
            names.report(BLOCK, (*here, "id"), f"{topic.id}: every release has a data set of this name; choose another one")
        ids.add(topic.id)
        names.check_texts(BLOCK, (*here, "title"), topic.title)
        names.check_texts(BLOCK, (*here, "description"), topic.description)
        for language in topic.keywords:
            if language and language not in names.pack.file.languages:
                names.report(BLOCK, (*here, "keywords", language), f"{language}: not one of the pack's languages")
        unknown = False
        for j, indicator in enumerate(topic.indicators):
            if indicator not in names.pack.indicators:
                names.report(BLOCK, (*here, "indicators", j), f"{indicator}: no such indicator")
                unknown = True
        if not unknown and not topics.indicators_of(names.pack, topic):
            names.report(BLOCK, here, f"{topic.id}: no indicator has this objective and field")


def _check_site(names: Names) -> None:
    declared = names.pack.file.site
    if declared is None:
        return
    if names.pack.file.site and "site" not in names.pack.file.formats:
        names.report(BLOCK, ("site",), "the release has no site: add site to formats")
    names.check_texts(BLOCK, ("site", "title"), declared.title)
    for language in declared.texts:
        if language not in names.pack.file.languages:
            names.report(BLOCK, ("site", "texts", language), f"{language}: not one of the pack's languages")
    if declared.map_indicator and declared.map_indicator not in names.pack.indicators:
        names.report(BLOCK, ("site", "map_indicator"), f"{declared.map_indicator}: no such indicator")
    if declared.logo and (fault := site.logo(names.pack.root, declared.logo)[1]):
        names.report(BLOCK, ("site", "logo"), f"{declared.logo}: {fault}")


def _check_levels(names: Names) -> None:
    position = {level: i for i, level in enumerate(names.levels)}
    if len(position) < len(names.levels):
        names.report(BLOCK, ("levels",), "a level is declared twice")
    for i, level in enumerate(names.pack.file.levels):
        for j, parent in enumerate(level.parents):
            if parent not in position:
                names.report(BLOCK, ("levels", i, "parents", j), f"{parent}: no such level")
            elif position[parent] <= i:
                message = f"{parent}: list levels finest first, so that a parent comes after its children"
                names.report(BLOCK, ("levels", i, "parents", j), message)

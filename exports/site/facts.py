"""What the site says about a release that no file of `api/v1` and `geo` has: topics, other files, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exports.model.change_summary import Summary
from exports.model.info import Context
from exports.model.site_choices import SiteChoices

Texts = Mapping[str, str]


@dataclass(frozen=True)
class TopicFacts:
    """A topic with the ids of its indicators that have values. `titles` are by language."""

    id: str
    titles: Texts
    indicators: Sequence[str]


@dataclass(frozen=True)
class SiteFacts:
    """Facts about a release. `files` are sizes in bytes by path, without those of the site; `base_uri` is empty if the pack has none."""

    topics: Sequence[TopicFacts] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    previous: str | None = None
    changes: Summary | None = None
    base_uri: str = ""
    choices: SiteChoices = field(default_factory=SiteChoices)
    peers_by: Mapping[str, Texts] = field(default_factory=dict)
    """The attributes by which similar areas are chosen: the names of those that are measures, by language."""


def of_release(context: Context) -> SiteFacts:
    """Return the facts about the release of `context`, whose files are all written but those of the site and of the quality report."""
    return SiteFacts(
        topics=[TopicFacts(topic.id, dict(topic.titles), topic.indicators) for topic in context.data_sets if topic.is_by_indicator],
        files={path: facts.bytes for path, facts in context.files.items()} | dict(context.document_bytes),
        previous=context.previous.version if context.previous else None,
        changes=context.changes,
        base_uri=context.info.base_uri,
        choices=context.info.site,
        peers_by={name: context.info.measures.get(name, {}) for name in context.info.peers_by},
    )


def changes(facts: SiteFacts) -> dict[str, Any]:
    """Return what changed since the previous release: new and withdrawn indicators, revised values, and changed tables."""
    summary = facts.changes
    about: dict[str, Any] = {"previous_version": facts.previous, "not_comparable": (summary.not_comparable if summary else "") or None}
    if summary is None:
        return about | {"new_indicators": [], "withdrawn_indicators": [], "revised": [], "tables": []}
    return about | {
        "new_indicators": sorted(summary.new.get("indicators", ())),
        "withdrawn_indicators": sorted(summary.withdrawn.get("indicators", ())),
        "revised": [
            {"indicator": revision.indicator, "changed": revision.changed, "lost": revision.lost, "found": revision.found}
            for revision in summary.revisions
        ],
        "tables": [
            {"table": name, "added": table.added, "removed": table.removed, "changed": dict(sorted(table.cells.items()))}
            for name, table in sorted(summary.tables.items())
            if not table.is_unchanged
        ],
    }

"""How a portal spells the fields: as extras, which any CKAN keeps, or as fields of its own where it has a schema of ckanext-scheming.

Pure functions on what the portal shows and what it ought to show. Sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exports.push.ckan_fields import Dataset, Resource

NESTED = {"contact": "contact_", "publisher": "publisher_", "temporal_coverage": "temporal_", "spatial_coverage": "spatial_"}
"""Nested fields, and what the names of their parts begin with among the extras."""
EXTRAS = frozenset(
    {"uri", "identifier", "issued", "modified", "language", "theme", "frequency", "access_rights", "documentation", "provenance"}
    | {"hvd_category", "applicable_legislation", "temporal_start", "temporal_end", "spatial_uri", "spatial_text", "spatial_bbox"}
    | {"spatial_centroid", "contact_uri", "contact_name", "contact_email", "contact_url", "contact_type"}
    | {"publisher_uri", "publisher_name", "publisher_email", "publisher_url", "publisher_type"}
)
"""Extras that a push answers for: one of these that a release no longer has is taken away, all others are left alone."""
LINKS = ("url", "access_url", "download_url")
SHOWN = 70  # signs of a value that are worth a look


@dataclass(frozen=True)
class Schema:
    """Fields that a portal has besides CKAN's own: of datasets and resources; `lists` are those that hold several texts."""

    dataset: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Schema:
        """Return what `scheming_dataset_schema_show` says."""
        fields = [*shown.get("dataset_fields", []), *shown.get("resource_fields", [])]
        return cls(
            frozenset(f["field_name"] for f in shown.get("dataset_fields", [])),
            frozenset(f["field_name"] for f in shown.get("resource_fields", [])),
            frozenset(f["field_name"] for f in fields if "multiple" in f"{f.get('preset', '')} {f.get('validators', '')}"),
            {f["field_name"]: frozenset(p["field_name"] for p in f["repeating_subfields"]) for f in fields if f.get("repeating_subfields")},
        )

    @property
    def is_there(self) -> bool:
        return bool(self.dataset)


@dataclass(frozen=True)
class Package:
    """A dataset as the portal is to show it: `fields` by name, `extras` by key, resources with their fields by id."""

    name: str
    fields: Mapping[str, Any]
    extras: Mapping[str, str]
    tags: tuple[str, ...]
    resources: Mapping[str, Mapping[str, Any]]
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One thing that the portal shows otherwise. `resource` is an id, or None for the dataset itself."""

    resource: str | None
    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = _words(self.old), _words(self.new)
        differs = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        same = differs if len(old) > SHOWN else 0
        return f"{self.field}: {_short(old, same)} -> {_short(new, same)}"


def package(dataset: Dataset, schema: Schema, *, upload: bool, owner_org: str | None) -> Package:
    """Return `dataset` in the way of a portal."""
    fields: dict[str, Any] = {"title": dataset.core["title"], **dataset.core}
    if schema.is_there:
        fields = {name: value for name, value in fields.items() if name in schema.dataset or name == "title"}
    extras: dict[str, str] = {}
    for name, value in dataset.dcat.items():
        if name in schema.parts:
            fields[name] = [{part: text for part, text in one.items() if part in schema.parts[name]} for one in value]
        elif name in NESTED:
            extras.update(_flat(name, value))
        elif name in schema.dataset:
            fields[name] = value if isinstance(value, str) == (name not in schema.lists) else _text(value)
        else:
            extras[name] = _text(value)
    if owner_org:
        fields["owner_org"] = owner_org
    tags = dataset.tags if not schema.is_there or "tag_string" in schema.dataset else ()
    resources = {r.id: _resource(r, schema, upload) for r in dataset.resources}
    return Package(dataset.name, fields, extras, tags, resources, {r.id: r.path for r in dataset.resources})


def _resource(resource: Resource, schema: Schema, upload: bool) -> Mapping[str, Any]:
    said: dict[str, Any] = {}
    for name, value in resource.fields.items():
        if not (upload and name in LINKS):
            said[name] = value if name in schema.resource & schema.lists or not isinstance(value, list) else _text(value)
    return {**said, "url_type": "upload"} if upload else said


def _flat(name: str, value: list[dict[str, str]]) -> dict[str, str]:
    """Return nested fields as extras. Extras have room for one territory: several are told by their names alone."""
    if name == "spatial_coverage" and len(value) > 1:
        return {"spatial_text": ", ".join(one["text"] for one in value if "text" in one)}
    return {NESTED[name] + part: text for part, text in value[0].items()} if value else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(wanted: Package, shown: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs on the portal from what is wanted; what others have added there is none of it."""
    organisation = shown.get("organization") or {}
    for name, value in wanted.fields.items():
        if name == "owner_org" and value in (organisation.get("name"), organisation.get("id"), shown.get("owner_org")):
            continue
        if not _same(name, shown.get(name), value):
            yield Difference(None, name, shown.get(name), value)
    extras = {extra["key"]: extra["value"] for extra in shown.get("extras", [])}
    for key in sorted(EXTRAS | set(wanted.extras)):
        if extras.get(key, "") != wanted.extras.get(key, ""):
            yield Difference(None, f"extras {key}", extras.get(key), wanted.extras.get(key))
    tags = {tag["name"] for tag in shown.get("tags", [])}
    if missing := [tag for tag in wanted.tags if tag not in tags]:
        yield Difference(None, "tags", None, missing)
    there = {resource["id"]: resource for resource in shown.get("resources", [])}
    for id_, said in wanted.resources.items():
        if id_ not in there:
            yield Difference(id_, "resource", None, wanted.paths[id_])
            continue
        for name, value in said.items():
            if not _same(name, there[id_].get(name), value):
                yield Difference(id_, name, there[id_].get(name), value)
        is_upload = said.get("url_type") == "upload"
        if not is_upload and there[id_].get("url_type") == "upload":
            yield Difference(id_, "url_type", "upload", None)
        for name in LINKS[1:] if is_upload else ():
            if there[id_].get(name):  # of a time when the portal had links
                yield Difference(id_, name, there[id_][name], None)


def _same(name: str, shown: Any, wanted: Any) -> bool:
    if name == "format":  # CKAN has its own spelling of formats
        return str(shown).casefold() == str(wanted).casefold()
    if isinstance(wanted, list) and isinstance(shown, list):
        return len(shown) == len(wanted) and all(_holds(s, w) for s, w in zip(shown, wanted, strict=True))
    return bool(str(shown if shown is not None else "") == str(wanted))


def _holds(shown: Any, wanted: Any) -> bool:
    """Whether all that is wanted is shown: a portal fills the parts it was not told with empty texts."""
    if not (isinstance(shown, dict) and isinstance(wanted, dict)):
        return bool(shown == wanted)
    return all(str(shown.get(part) or "") == str(wanted.get(part, "")) for part in {*shown, *wanted})


def _words(value: Any) -> str:
    return "nothing" if value in (None, "", []) else _text(value) if isinstance(value, str | list) else str(value)


def _short(words: str, same: int) -> str:
    """Return a part of `words` in which it can be seen how they differ after their first `same` signs."""
    start = max(0, same - SHOWN // 2)
    return ("..." if start else "") + words[start : start + SHOWN] + ("..." if len(words) > start + SHOWN else "")

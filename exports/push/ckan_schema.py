"""How a portal spells the fields: as extras, which every CKAN keeps, or as its own fields if it has a schema of ckanext-scheming.

Pure functions that compare what the portal shows with what it should show. Sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exports.metadata.vocabulary import MD5
from exports.push.ckan_fields import CONTENT, WORKSPACE, Dataset, Resource, Texts

NESTED = {
    "contact": "contact_",
    "creator": "creator_",
    "publisher": "publisher_",
    "temporal_coverage": "temporal_",
    "spatial_coverage": "spatial_",
}
"""Nested fields, and the prefixes of their parts among the extras."""
EXTRAS = frozenset(
    {WORKSPACE, "uri", "identifier", "issued", "modified", "language", "theme", "frequency", "access_rights", "documentation", "provenance"}
    | {"hvd_category", "applicable_legislation", "temporal_start", "temporal_end", "spatial_uri", "spatial_text", "spatial_bbox"}
    | {"spatial_centroid", "contact_uri", "contact_name", "contact_email", "contact_url", "contact_type"}
    | {"publisher_uri", "publisher_name", "publisher_email", "publisher_url", "publisher_type", "creator_uri", "creator_name"}
)
"""Extras that a push manages: it removes those that a release no longer has. All other extras are left alone."""
LINKS = ("url", "access_url", "download_url")
MAX_LENGTH = 70  # characters of a value that are shown


@dataclass(frozen=True)
class Schema:
    """The fields of a portal's own schema. `lists` are fields that hold several texts, and `parts` has the parts of nested fields.

    `translated` are the fields of ckanext-fluent, which hold a text for each language. `required` are the languages that a portal insists on.
    """

    dataset: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    translated: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Schema:
        """Return the schema from the result of `scheming_dataset_schema_show`."""
        fields = [*value.get("dataset_fields", []), *value.get("resource_fields", [])]
        return cls(
            frozenset(f["field_name"] for f in value.get("dataset_fields", [])),
            frozenset(f["field_name"] for f in value.get("resource_fields", [])),
            frozenset(f["field_name"] for f in fields if "multiple" in f"{f.get('preset', '')} {f.get('validators', '')}"),
            {f["field_name"]: frozenset(p["field_name"] for p in f["repeating_subfields"]) for f in fields if f.get("repeating_subfields")},
            frozenset(f["field_name"] for f in fields if "fluent" in f"{f.get('preset', '')} {f.get('validators', '')}"),
            tuple(value.get("form_languages", ())),
        )

    @property
    def exists(self) -> bool:
        return bool(self.dataset)


@dataclass(frozen=True)
class Package:
    """A dataset as the portal should show it: `fields` by name, `extras` by key, and fields and paths of the resources by id."""

    name: str
    fields: Mapping[str, Any]
    extras: Mapping[str, str]
    tags: tuple[str, ...]
    resources: Mapping[str, Mapping[str, Any]]
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """A field that the portal shows differently. `resource` is an id, or None for the dataset itself."""

    resource: str | None
    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = _display(self.old), _display(self.new)
        first_difference = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        same = first_difference if len(old) > MAX_LENGTH else 0
        return f"{self.field}: {_excerpt(old, same)} -> {_excerpt(new, same)}"


def package(dataset: Dataset, schema: Schema, *, upload: bool, owner_org: str | None, private: bool | None = None) -> Package:
    """Return `dataset` with the fields as the portal spells them."""
    fields: dict[str, Any] = {"title": dataset.core["title"], **dataset.core}
    if schema.exists:
        fields = {name: value for name, value in fields.items() if name in schema.dataset or name == "title"}
    extras: dict[str, str] = {}
    for name, value in dataset.dcat.items():
        if name in schema.parts:
            fields[name] = [{part: text for part, text in item.items() if part in schema.parts[name]} for item in value]
        elif name in NESTED:
            extras.update(_flat(name, value))
        elif name in schema.dataset and name not in schema.translated:
            fields[name] = value if isinstance(value, str) == (name not in schema.lists) else _text(value)
        elif name not in schema.translated:
            extras[name] = _text(value)
    translations = _translations(dataset.texts, schema.dataset, schema)
    fields = {name: value for name, value in fields.items() if f"{name}_translated" not in translations} | translations
    if owner_org:
        fields["owner_org"] = owner_org
    if private is not None:
        fields["private"] = private
    tags = dataset.tags if not schema.exists or "tag_string" in schema.dataset else ()
    resources = {r.id: _resource(r, schema, upload) for r in dataset.resources}
    return Package(dataset.name, fields, extras, tags, resources, {r.id: r.path for r in dataset.resources})


def _resource(resource: Resource, schema: Schema, upload: bool) -> Mapping[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in resource.fields.items():
        if not (upload and name in (*LINKS, "last_modified")):
            fields[name] = value if name in schema.resource & schema.lists or not isinstance(value, list) else _text(value)
    translations = _translations(resource.texts, schema.resource, schema)
    fields = {name: value for name, value in fields.items() if f"{name}_translated" not in translations} | translations
    return {**fields, "url_type": "upload"} if upload else fields


def _translations(texts: Mapping[str, Texts], names: frozenset[str], schema: Schema) -> dict[str, dict[str, Any]]:
    """Return the fields that a portal has for texts in several languages. A language that it requires and the release lacks gets the first."""
    fields = {}
    for name, by_language in texts.items():
        first = next(iter(by_language.values()), "")
        values = {language: by_language.get(language, first) for language in dict.fromkeys([*schema.required, *by_language])}
        for field_name in (f"{name}_translated", name):
            if field_name in names & schema.translated and first:
                fields[field_name] = {language: list(v) if isinstance(v, tuple) else v for language, v in values.items()}
    return fields


def _flat(name: str, value: list[dict[str, str]]) -> dict[str, str]:
    """Return nested fields as extras. Extras have room for only one territory or creator, so that several are given only by name."""
    if name in ("spatial_coverage", "creator") and len(value) > 1:
        text = "text" if name == "spatial_coverage" else "name"
        return {NESTED[name] + text: ", ".join(item[text] for item in value if text in item)}
    return {NESTED[name] + part: text for part, text in value[0].items()} if value else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(target: Package, shown: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what the portal shows differently from `target`. What others have added to the dataset does not count."""
    organisation = shown.get("organization") or {}
    for name, value in target.fields.items():
        if name == "owner_org" and value in (organisation.get("name"), organisation.get("id"), shown.get("owner_org")):
            continue
        if not _same(name, shown.get(name), value):
            yield Difference(None, name, shown.get(name), value)
    extras = {extra["key"]: extra["value"] for extra in shown.get("extras", [])}
    for key in sorted(EXTRAS | set(target.extras)):
        if extras.get(key, "") != target.extras.get(key, ""):
            yield Difference(None, f"extras {key}", extras.get(key), target.extras.get(key))
    tags = {tag["name"] for tag in shown.get("tags", [])}
    if missing := [tag for tag in target.tags if tag not in tags]:
        yield Difference(None, "tags", None, missing)
    resources = {resource["id"]: resource for resource in shown.get("resources", [])}
    for id_, fields in target.resources.items():
        if id_ not in resources:
            yield Difference(id_, "resource", None, target.paths[id_])
            continue
        resource = resources[id_]
        is_known = resource.get(CONTENT) == fields.get(CONTENT)
        for name, value in fields.items():
            if is_known and name == "hash" and resource.get(name):  # a loader may have put its own checksum here
                continue
            expected = MD5 if is_known and name == "hash_algorithm" and _is_md5(resource.get("hash")) else value
            if not _same(name, resource.get(name), expected):
                yield Difference(id_, name, resource.get(name), expected)
        is_upload = fields.get("url_type") == "upload"
        if not is_upload and resource.get("url_type") == "upload":
            yield Difference(id_, "url_type", "upload", None)
        for name in LINKS[1:] if is_upload else ():
            if resource.get(name):  # left from an earlier push of links
                yield Difference(id_, name, resource[name], None)


def _same(name: str, shown: Any, expected: Any) -> bool:
    if name == "format":  # CKAN has its own spelling of formats
        return str(shown).casefold() == str(expected).casefold()
    if name == "last_modified":  # CKAN adds parts of seconds
        return str(shown or "")[:19] == str(expected)[:19]
    if isinstance(expected, dict) and isinstance(shown, dict):
        return all(_same(name, shown.get(key), value) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(shown, list):
        return len(shown) == len(expected) and all(_same_item(s, e) for s, e in zip(shown, expected, strict=True))
    return bool(str(shown if shown is not None else "") == str(expected))


def _same_item(shown: Any, expected: Any) -> bool:
    """Whether an item of a list is as expected. A portal fills missing parts of a nested field with empty texts."""
    if not (isinstance(shown, dict) and isinstance(expected, dict)):
        return bool(shown == expected)
    return all(str(shown.get(part) or "") == str(expected.get(part, "")) for part in {*shown, *expected})


def _is_md5(checksum: Any) -> bool:
    return isinstance(checksum, str) and len(checksum) == 32


def _display(value: Any) -> str:
    return "nothing" if value in (None, "", []) else _text(value) if isinstance(value, str | list) else str(value)


def _excerpt(text: str, same: int) -> str:
    """Return a part of `text` that shows where it differs, which is after its first `same` characters."""
    start = max(0, same - MAX_LENGTH // 2)
    return ("..." if start else "") + text[start : start + MAX_LENGTH] + ("..." if len(text) > start + MAX_LENGTH else "")

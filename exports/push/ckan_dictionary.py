"""The data dictionary of CKAN's DataStore: the type and description of each column of a CSV resource.

A loader that fills the DataStore guesses types, so that a version such as 2026.11.1 becomes a time. It does not guess where the dictionary
states a type (`type_override`). The dictionary is sent to a portal that has a DataStore and a loader, or that has loaded the file already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from exports.formats.reading_texts import with_unit
from exports.metadata import datapackage
from exports.push.ckan_client import Portal
from exports.push.ckan_schema import Package
from exports.push.errors import NotFoundError, PushError, RejectedError
from exports.push.push_plan import PushPlan

TYPES = {"string": "text", "number": "numeric", "integer": "numeric"}
"""Types of the DataStore by type of the Data Package."""
LOADERS = ("xloader_submit", "datapusher_submit")

Columns = list[dict[str, Any]]


def dictionaries(plan: PushPlan, language: str | None = None) -> dict[str, Columns]:
    """Return the columns of every CSV file that the release's Data Package describes, by path. Raises PushError.

    Descriptions are in `language` where the release has them, otherwise in English.
    """
    try:
        package = json.loads((plan.folder / datapackage.PATH).read_bytes())
    except (OSError, ValueError) as error:
        raise PushError(f"{plan.version}: {datapackage.PATH} cannot be read ({error}); nothing was sent") from None
    columns: dict[str, Columns] = {}
    for resource in package.get("resources", []):
        path = resource.get("path", [])  # a table of several files has none of them if it has no rows
        paths = path if isinstance(path, list) else [path]
        fields = [_column(field, language or "en") for field in resource.get("schema", {}).get("fields", [])]
        columns |= dict.fromkeys((path for path in paths if path.endswith(".csv")), fields)
    return columns


def _column(field: Mapping[str, Any], language: str) -> dict[str, Any]:
    type_ = TYPES.get(field.get("type", ""), "text")
    description, unit = (field.get(f"{name}_{language}") or field.get(name, "") for name in ("description", "unit"))
    notes = with_unit(description, unit, language)
    return {
        "id": field["name"],
        "type": type_,
        "info": {"label": field.get("title", field["name"]), "notes": notes, "type_override": type_},
    }


class DataStore:
    """The DataStore of a portal, if it has one."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.exists = self._has("datastore_create")
        self.has_loader = self.exists and any(self._has(action) for action in LOADERS)

    def outdated(self, target: Package, dictionaries: Mapping[str, Columns]) -> Iterable[str]:
        """Yield the ids of resources whose dictionary the portal does not have, but can take. Raises TemporaryError, PushError."""
        for id_, path in target.paths.items() if self.exists else ():
            columns = dictionaries.get(path)
            if columns and self._differs(id_, columns):
                yield id_

    def write(self, resource: str, columns: Columns) -> None:
        """Send the dictionary of a resource. A table that has been loaded keeps its types until it is loaded again."""
        is_loaded = self._shown(resource) is not None
        fields = [{"id": column["id"], "info": column["info"]} for column in columns] if is_loaded else columns
        self.portal.post("datastore_create", {"resource_id": resource, "fields": fields, "force": True})

    def _differs(self, resource: str, columns: Columns) -> bool:
        shown = self._shown(resource)
        if shown is None:
            return self.has_loader
        if set(shown) != {column["id"] for column in columns}:
            return False  # loaded from other columns; the next load of the file replaces the table
        return any(not column["info"].items() <= shown[column["id"]].items() for column in columns)

    def _shown(self, resource: str) -> dict[str, dict[str, Any]] | None:
        """Return what the portal states about each column; None if it has no table for the resource."""
        try:
            result = self.portal.get("datastore_search", resource_id=resource, limit="0")
        except (NotFoundError, RejectedError):
            return None
        return {field["id"]: field.get("info") or {} for field in result["fields"] if field["id"] != "_id"}

    def _has(self, action: str) -> bool:
        try:
            self.portal.get("help_show", name=action)
        except (NotFoundError, PushError):
            return False
        return True

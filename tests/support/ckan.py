"""A CKAN portal on loopback: the action API as CKAN documents it, its state in memory, and faults as they are ordered.

Written from CKAN's documentation and held against CKAN itself (docs/publication.md says how): package_show, package_create and
package_revise with match, filter, update, extend and uploads; validation, authorisation, and the shape of errors. No search, no history.
"""

from __future__ import annotations

import fnmatch
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME = re.compile(r"[a-z0-9_-]{2,100}")
TAG = re.compile(r"[\w \-.]{2,100}")
CORE = ("title", "notes", "url", "version", "license_id", "author", "author_email", "maintainer", "maintainer_email")
KNOWN = {*CORE, "id", "name", "owner_org", "private", "state", "type", "tags", "extras", "resources", "groups"}
COMPUTED = {"metadata_created", "metadata_modified", "num_resources", "num_tags", "organization", "creator_user_id", "isopen"}
COMPUTED |= {"license_title", "license_url", "relationships_as_subject", "relationships_as_object"}
OFFICE = {"id": "cd2de27e-f73c-4aad-a913-7aff071c9729", "name": "office", "title": "Office", "state": "active"}


class ActionError(Exception):
    def __init__(self, status: int, kind: str, **said: Any) -> None:
        super().__init__(said)
        self.status, self.error = status, {"__type": kind, **said}


class UnknownActionError(Exception):
    """CKAN answers this one with a mere text."""


def invalid(**fields: Any) -> ActionError:
    return ActionError(409, "Validation Error", **fields)


@dataclass
class Fault:
    """What happens in place of an answer: a status, or a cut connection; with `after`, once the action was carried out."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass
class Ckan:
    """The portal. `writes` and `reads` are the actions asked for, with what came along; faults are by the number of the request of its kind."""

    key: str = "a-key-of-the-portal"
    names_refused_keys: bool = False
    url: str = ""
    schema: dict[str, Any] | None = None
    datastore: dict[str, list[dict[str, Any]]] | None = None
    loader: bool = False
    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    writes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    write_faults: dict[int, Fault] = field(default_factory=dict)
    read_faults: dict[int, Fault] = field(default_factory=dict)
    hold_at: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    clock: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def act(self, action: str, body: dict[str, Any], key: str | None) -> Any:
        actions: dict[str, Callable[[dict[str, Any]], Any]] = {
            "package_show": self.package_show, "package_create": self.package_create, "package_revise": self.package_revise,
            "scheming_dataset_schema_show": self.schema_show, "resource_show": self.resource_show,
            "datastore_search": self.datastore_search, "datastore_create": self.datastore_create,
        }  # fmt: skip
        if action == "help_show":
            if body["name"] not in self._extensions():
                raise ActionError(404, "Not Found Error", message="Not found: Action name not found")
            return "Help"
        if action == "organization_list_for_user":
            if key != self.key and self.names_refused_keys:
                raise ActionError(403, "Authorization Error", message=f"Access denied: User  not authorized ({key})")
            return [OFFICE] if key == self.key else []  # a key that is not accepted is as good as none
        if (
            action not in actions
            or (action.startswith("scheming") and self.schema is None)
            or (action.startswith("datastore") and self.datastore is None)
        ):
            raise UnknownActionError(action)
        if action in ("package_create", "package_revise", "datastore_create") and key != self.key:
            raise ActionError(403, "Authorization Error", message=f"Access denied: User  not authorized ({key})")
        with self.lock:
            return deepcopy(actions[action](body))

    def schema_show(self, body: Mapping[str, Any]) -> Any:
        return self.schema

    def package_show(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wanted = body.get("id")
        found = next((p for p in self.packages.values() if wanted in (p["id"], p["name"])), None)
        if found is None:
            raise ActionError(404, "Not Found Error", message="Not found")
        return found

    def _extensions(self) -> set[str]:
        datastore = {"datastore_create", "datastore_search"} if self.datastore is not None else set()
        return datastore | ({"xloader_submit"} if self.loader else set())

    def datastore_search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        assert self.datastore is not None
        if body["resource_id"] not in self.datastore:
            raise ActionError(404, "Not Found Error", message="Not found: Resource was not found.")
        return {"fields": [{"id": "_id", "type": "int"}, *self.datastore[body["resource_id"]]], "records": []}

    def datastore_create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        assert self.datastore is not None
        self.resource_show({"id": body["resource_id"]})
        columns = {field["id"]: field for field in self.datastore.get(body["resource_id"], [])}
        self.datastore[body["resource_id"]] = [{"type": "text", **columns.get(field["id"], {}), **field} for field in body["fields"]]
        return dict(body)

    def resource_show(self, body: Mapping[str, Any]) -> dict[str, Any]:
        for package in self.packages.values():
            for resource in package["resources"]:
                if resource["id"] == body.get("id"):
                    return {**resource, "package_id": package["id"]}
        raise ActionError(404, "Not Found Error", message="Not found: Resource was not found.")

    def package_create(self, body: dict[str, Any]) -> dict[str, Any]:
        if "id" in body:
            raise invalid(id=["The input field id was not expected."])  # sysadmins only
        return self._saved({**deepcopy(body), "id": str(uuid.uuid4())}, None)

    def package_revise(self, body: dict[str, Any]) -> dict[str, Any]:
        match = _json(body.get("match", {}))
        before = self.package_show({"id": match.get("id") or match.get("name")})
        if wrong := [name for name, value in match.items() if before.get(name) != value]:
            raise invalid(match=wrong)
        revised = deepcopy(before)
        for pattern in _json(body.get("filter", [])):
            _filter(revised, pattern.removeprefix("-").split("__"))
        _merge(revised, _json(body.get("update", {})))
        flat = {k.removeprefix("update__"): v for k, v in body.items() if k.startswith("update__")}
        for name in sorted(flat, key=lambda n: not n.endswith("__extend")):
            *path, last = name.split("__")
            place: Any = revised
            for step in path:
                place = _child(place, step)
            if last == "extend":
                place.extend(_json(flat[name]))
            elif isinstance(place, list):
                _merge(_child(place, last), _json(flat[name]))
            else:
                place[last] = flat[name]
        return {"package": self._saved(revised, before)}

    def _saved(self, package: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        """Validate and keep a package, and return it as it is shown. A package that says the same keeps its time."""
        own = {f["field_name"] for f in self.schema["dataset_fields"]} if self.schema else set()
        package = {name: value for name, value in package.items() if name in KNOWN | COMPUTED | own}  # others are lost without a word
        if not NAME.fullmatch(package.get("name", "")):
            raise invalid(name=["Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"])
        if any(p["name"] == package["name"] and p["id"] != package["id"] for p in self.packages.values()):
            raise invalid(name=["That URL is already in use."])
        self._check_translations(package, "dataset_fields")
        for resource in package.get("resources", []):
            self._check_translations(resource, "resource_fields")
        if not package.get("owner_org"):
            raise invalid(owner_org=["An organization must be provided"])
        if package["owner_org"] not in (OFFICE["id"], OFFICE["name"]):
            raise ActionError(403, "Authorization Error", message="Access denied: User not authorized to add dataset to this organization")
        extras = [{"key": e["key"], "value": str(e["value"])} for e in package.get("extras", [])]
        keys = [e["key"] for e in extras]
        if len(set(keys)) < len(keys):
            raise invalid(extras_validation=["Duplicate key"])
        if clash := [key for key in keys if key in own | KNOWN]:
            raise invalid(extras=[{"key": [f"There is a schema field with the same name ({clash[0]})"]}])
        tags = [t["name"] for t in package.get("tags", [])]
        if wrong := [tag for tag in tags if not TAG.fullmatch(tag)]:
            raise invalid(tags=[f'Tag "{wrong[0]}" can only contain alphanumeric characters'])
        uploads: dict[str, bytes] = {}
        shown = {
            **dict.fromkeys(CORE), **package, "owner_org": OFFICE["id"], "organization": OFFICE, "state": "active", "type": "dataset",
            "extras": sorted(extras, key=lambda e: e["key"]), "tags": [{"name": n, "display_name": n, "state": "active"} for n in sorted(tags)],
            "resources": [self._resource(r, package["id"], i, uploads) for i, r in enumerate(package.get("resources", []))],
        }  # fmt: skip
        shown["num_resources"], shown["num_tags"] = len(shown["resources"]), len(tags)
        if before is not None and not uploads and {**shown, "metadata_modified": ""} == {**before, "metadata_modified": ""}:
            return before
        self.clock += 1
        shown["metadata_modified"] = f"2026-11-26T08:00:00.{self.clock:06}"
        self.packages[package["id"]] = shown
        self.files.update(uploads)
        return shown

    def _check_translations(self, item: dict[str, Any], kind: str) -> None:
        """Validate fields of ckanext-fluent, and fill in the plain field in the first language of the portal."""
        for field_ in (self.schema or {}).get(kind, []):
            name, languages = field_["field_name"], (self.schema or {}).get("form_languages", [])
            if "fluent" not in field_.get("preset", ""):
                continue
            value = item.get(name)
            if value is not None and not isinstance(value, dict):
                raise invalid(**{name: ["expecting JSON object"]})
            if field_.get("required") and (missing := [code for code in languages if not (value or {}).get(code)]):
                raise invalid(**{f"{name}-{missing[0]}": ["Missing value"]})
            if value and field_["preset"] == "fluent_core_translated":
                item[name.removesuffix("_translated")] = value[languages[0]]

    def _resource(self, resource: dict[str, Any], package: str, position: int, uploads: dict[str, bytes]) -> dict[str, Any]:
        made = {
            **dict.fromkeys(("url", "format", "hash", "mimetype", "name", "description", "size", "url_type", "last_modified")),
            **resource,
        }
        made.setdefault("id", str(uuid.uuid4()))
        try:
            uuid.UUID(made["id"])
            made["size"] = int(made["size"]) if made["size"] not in (None, "") else None
        except ValueError:
            raise invalid(resources=[{"id": ["Invalid resource id or size"]}]) from None
        if any(r["id"] == made["id"] for p in self.packages.values() if p["id"] != package for r in p["resources"]):
            raise invalid(resources=[{"id": ["Resource id already exists."]}])
        file, clear = made.pop("upload", None), made.pop("clear_upload", None)
        if file is not None:
            name, content = file
            made |= {"url_type": "upload", "size": len(content), "last_modified": f"2026-11-26T09:00:00.{self.clock:06}"}
            made["url"] = f"{self.url}/dataset/{package}/resource/{made['id']}/download/{name.lower()}"
            uploads[made["id"]] = content
        elif clear:
            made["url_type"] = ""
            self.files.pop(made["id"], None)
        if made["format"]:
            made["format"] = {"csv": "CSV"}.get(made["format"].lower(), made["format"])
        return {**made, "package_id": package, "position": position, "state": "active"}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _child(place: Any, step: str) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list):
        found = [item for item in place if isinstance(item, dict) and len(step) >= 5 and str(item.get("id", "")).startswith(step)]
        if found:
            return found[0]
    raise invalid(**{f"resources__{step}": [f"Unmatched key {step}"]})


def _filter(place: Any, path: list[str]) -> None:
    if len(path) == 1 and isinstance(place, dict):
        for name in [n for n in place if fnmatch.fnmatchcase(n, path[0]) and n != "id"]:
            del place[name]
    elif len(path) > 1:
        with suppress(ActionError):
            _filter(_child(place, path[0]), path[1:])


def _merge(old: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Update as CKAN does: dicts are merged, and lists too, item by item."""
    for name, value in new.items():
        if isinstance(old.get(name), dict):
            _merge(old[name], value)
        elif isinstance(old.get(name), list):
            for i, item in enumerate(value):
                if i >= len(old[name]):
                    old[name].append(item)
                elif isinstance(old[name][i], dict):
                    _merge(old[name][i], item)
                else:
                    old[name][i] = item
        else:
            old[name] = value


def form(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a multipart body, files as name and content."""
    fields: dict[str, Any] = {}
    for part in body.split(b"--" + content_type.partition("boundary=")[2].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        said = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        content = content.removesuffix(b"\r\n")
        fields[said["name"]] = (said["filename"], content) if "filename" in said else content.decode()
    return fields


@contextmanager
def serving(**options: Any) -> Iterator[Ckan]:
    portal = Ckan(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            portal.reads.append(parts.path.rpartition("/")[2])
            self._answer({name: values[0] for name, values in parse_qs(parts.query).items()}, portal.read_faults.get(len(portal.reads)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers.get("Content-Type", "")
            asked = form(body, kind) if kind.startswith("multipart/") else json.loads(body)
            portal.writes.append((self.path.rpartition("/")[2], asked))
            if len(portal.writes) == portal.hold_at:
                portal.held.set()
                portal.go_on.wait(60)
                return  # whoever asked is gone
            self._answer(asked, portal.write_faults.get(len(portal.writes)))

        def _answer(self, asked: dict[str, Any], fault: Fault | None) -> None:
            key = self.headers.get("Authorization")
            portal.keys.add(key)
            if fault and not fault.after:
                return self._fail(fault)
            action = urlsplit(self.path).path.removeprefix("/api/3/action/")
            try:
                answer: Any
                status, answer = 200, {"success": True, "result": portal.act(action, asked, key)}
            except UnknownActionError as error:
                status, answer = 400, f"Bad request: Action name not known: {error}"
            except ActionError as error:
                status, answer = error.status, {"success": False, "error": error.error}
            if fault:
                return self._fail(fault)
            return self._reply(status, {"Content-Type": "application/json;charset=utf-8"}, json.dumps(answer).encode())

        def _fail(self, fault: Fault) -> None:
            if fault.status:
                self._reply(fault.status, fault.headers, b"<html>busy</html>")
            else:
                self.connection.close()

        def _reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        portal.url = f"http://127.0.0.1:{http.server_address[1]}"
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield portal
        portal.go_on.set()
        http.shutdown()

"""A release into a CKAN portal: looks at what each dataset shows, sends what is missing, looks at what came of it, until nothing differs.

There is no memory of what was sent: after a failure or a kill, what the portal shows says where to go on. The step is the unit: a dataset
with its links at once, or one uploaded file with the fields that belong to it. Files come before the dataset's own fields, so that a
dataset that is there never names a version whose files are not; a new one is created with its fields, before its first files.
How fields are spelled is the business of `ckan_schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exports.model import media_types
from exports.push import ckan_fields, ckan_schema
from exports.push.ckan_client import InvalidError, NotThereError, Portal
from exports.push.ckan_schema import Difference, Package, Schema
from exports.push.multipart import Form
from exports.push.push_plan import Outgoing, PushError, RefusedError
from exports.push.retry_policy import PassingError, Patience

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What is asked of a push. `upload` None: files are uploaded only where the release has no addresses of its own."""

    upload: bool | None = None
    owner_org: str | None = None
    prefix: str | None = None
    language: str | None = None
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Step:
    """One request that writes. `file` is the path of what is uploaded with it."""

    action: str
    body: Mapping[str, Any]
    resource: str | None = None
    file: str | None = None


def push(out: Outgoing, portal: Portal, options: Options, tell: Tell) -> tuple[int, int]:
    """Make the portal show the release; return how many datasets it has, and how many of them were, or would be, changed.

    Raises RefusedError where the release or the options do not allow it, PushError where the portal refuses or fails.
    """
    found = ckan_fields.datasets(out, options.prefix, options.language)
    linked = ckan_fields.has_addresses(found)
    if options.upload is False and not linked:
        raise RefusedError("--links: the release has no addresses, since its pack has no base_uri; --upload sends the files themselves")
    upload = not linked if options.upload is None else options.upload
    schema = options.patience.keep(lambda: _schema(portal), tell)
    changed = 0
    for number, dataset in enumerate(found):
        wanted = ckan_schema.package(dataset, schema, upload=upload, owner_org=options.owner_org)
        try:
            changed += _one(out, portal, wanted, options, tell)
        except PushError as error:
            raise PushError(
                f"{wanted.name}: {error} ({number} of {len(found)} datasets are as they should be; the same command goes on from there)"
            ) from None
    return len(found), changed


def _schema(portal: Portal) -> Schema:
    """Return the fields of a portal that has a schema of its own for datasets."""
    try:
        return Schema.of(portal.ask("scheming_dataset_schema_show", type="dataset"))
    except (NotThereError, PushError):  # a CKAN without ckanext-scheming does not know the question
        return Schema()


def _one(out: Outgoing, portal: Portal, wanted: Package, options: Options, tell: Tell) -> bool:
    """Bring one dataset up to date; return whether that took anything."""
    shown = options.patience.keep(lambda: _shown(portal, wanted.name), tell)
    if options.dry_run:
        return _told(out, wanted, shown, tell)
    last: Step | None = None
    changed = False
    while step := next_step(wanted, shown):
        if last is not None and (step.resource, step.file) == (last.resource, last.file) and step.action == last.action:
            kept = sorted({d.field for d in ckan_schema.differences(wanted, shown or {})})
            tell(f"{wanted.name}: the portal keeps its own values of: {', '.join(kept)}")
            break
        for line in _words(out, wanted, shown, step):
            tell(line)
        # after a failure the portal is asked again: what broke off may have arrived
        shown, last = options.patience.keep(lambda: _sent(out, portal, wanted, _shown(portal, wanted.name)), tell), step
        changed = True
    return changed


def _shown(portal: Portal, name: str) -> dict[str, Any] | None:
    try:
        shown: dict[str, Any] = portal.ask("package_show", id=name)
    except NotThereError:
        return None
    if shown.get("state", "active") != "active":
        raise PushError(f"was {shown['state']} on the portal; restore or purge it there, or name the datasets otherwise with --prefix")
    return shown


def _sent(out: Outgoing, portal: Portal, wanted: Package, shown: dict[str, Any] | None) -> dict[str, Any]:
    """Send the step that is due and return what the portal shows then."""
    step = next_step(wanted, shown)
    if step is None:
        assert shown is not None
        return shown
    form = None
    if step.file:
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in step.body.items()}
        form = Form(
            fields,
            f"update__resources__{step.resource}__upload",
            out.still_sound(step.file),
            media_types.media_type(step.file).split(";")[0],
        )
    try:
        result = portal.do(step.action, step.body, form)
    except InvalidError as error:
        if "match" in error.fields:
            raise PassingError(f"{wanted.name} was changed by somebody else meanwhile") from None
        raise
    except NotThereError as error:
        raise PushError(f"{step.action}: {error}; is it a CKAN of version 2.9 or later?") from None
    after: dict[str, Any] = result["package"] if step.action == "package_revise" else result
    return after


def next_step(wanted: Package, shown: Mapping[str, Any] | None) -> Step | None:
    """Return what to send to a portal that shows `shown` (None: no such dataset); None where nothing is missing."""
    uploads = any(said.get("url_type") == "upload" for said in wanted.resources.values())
    if shown is None:
        return Step("package_create", _created(wanted, uploads))
    found = list(ckan_schema.differences(wanted, shown))
    if uploads:
        for id_ in wanted.resources:
            if any(d.resource == id_ and d.field in ("resource", "hash", "url_type") for d in found):
                own = [d for d in found if d.resource == id_]
                return Step("package_revise", _revised(wanted, shown, own), id_, wanted.paths[id_])
    return Step("package_revise", _revised(wanted, shown, found)) if found else None


def _created(wanted: Package, uploads: bool) -> dict[str, Any]:
    return {
        "name": wanted.name,
        **wanted.fields,
        "extras": [{"key": key, "value": value} for key, value in wanted.extras.items()],
        "tags": [{"name": tag} for tag in wanted.tags],
        "resources": [] if uploads else [{"id": id_, **said} for id_, said in wanted.resources.items()],
    }


def _revised(wanted: Package, shown: Mapping[str, Any], found: list[Difference]) -> dict[str, Any]:
    """Return a revision that does away with `found`. Lists are replaced, not merged item by item; others' extras and tags stay.

    It applies only to the dataset as it was shown: a change by somebody else in between is not overwritten unseen.
    """
    update: dict[str, Any] = {}
    body: dict[str, Any] = {"match": {"id": shown["id"], "metadata_modified": shown.get("metadata_modified")}}
    away: list[str] = []
    for d in found:
        prefix = f"resources__{d.resource}__" if d.resource else ""
        if d.field == "resource":
            assert d.resource is not None
            said = {name: value for name, value in wanted.resources[d.resource].items() if name != "url_type"}
            body.setdefault("update__resources__extend", []).append({"id": d.resource, **said})
            continue
        if (d.resource and d.new is None) or isinstance(d.old, list | dict):
            away.append(f"-{prefix}{d.field}")
        if d.resource and d.field == "url_type":
            if d.new is None:
                body.setdefault(f"update__resources__{d.resource}", {})["clear_upload"] = "true"
        elif d.resource and d.new is not None:
            body.setdefault(f"update__resources__{d.resource}", {})[d.field] = d.new
        elif d.resource is None and d.field != "tags" and not d.field.startswith("extras "):
            update[d.field] = d.new
    if any(d.resource is None and d.field.startswith("extras ") for d in found):
        others = [e for e in shown.get("extras", []) if e["key"] not in ckan_schema.EXTRAS | set(wanted.extras)]
        away.append("-extras")
        update["extras"] = [
            *({"key": e["key"], "value": e["value"]} for e in others),
            *({"key": key, "value": value} for key, value in wanted.extras.items()),
        ]
    if any(d.resource is None and d.field == "tags" for d in found):
        away.append("-tags")
        update["tags"] = [{"name": name} for name in dict.fromkeys([*(tag["name"] for tag in shown.get("tags", [])), *wanted.tags])]
    return {**body, **({"filter": away} if away else {}), **({"update": update} if update else {})}


def _words(out: Outgoing, wanted: Package, shown: Mapping[str, Any] | None, step: Step) -> Iterator[str]:
    """Yield what a step does, for people."""
    if shown is None:
        yield f"{wanted.name}: create"
    elif step.file:
        yield f"{wanted.name}: upload {step.file}, {out.files[step.file].bytes} bytes"
    else:
        fields = dict.fromkeys(d.field for d in ckan_schema.differences(wanted, shown))
        yield f"{wanted.name}: revise {', '.join(fields)}"


def _told(out: Outgoing, wanted: Package, shown: Mapping[str, Any] | None, tell: Tell) -> bool:
    """Say all that a push would change in a dataset; return whether it would."""
    uploads = [id_ for id_, said in wanted.resources.items() if said.get("url_type") == "upload"]
    if shown is None:
        tell(f"{wanted.name}: would create it, with {', '.join(wanted.paths.values())}" + (" uploaded" if uploads else " as links"))
        return True
    found = list(ckan_schema.differences(wanted, shown))
    for d in found:
        where = f" {wanted.paths[d.resource]}:" if d.resource else ""
        tell(f"{wanted.name}:{where} {d}" if d.field != "resource" else f"{wanted.name}: would add {wanted.paths[d.resource or '']}")
    for id_ in uploads:
        if any(d.resource == id_ and d.field in ("resource", "hash", "url_type") for d in found):
            tell(f"{wanted.name}: would upload {wanted.paths[id_]}, {out.files[wanted.paths[id_]].bytes} bytes")
    return bool(found)

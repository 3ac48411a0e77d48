"""Push a release into a CKAN portal: read what each dataset shows, send what is missing, and check the result until nothing differs.

Nothing is remembered between pushes: after a failure, the portal itself shows where to continue. One request sends either a dataset with all
its links, or one uploaded file with the fields that belong to it. Files are sent before the dataset's own fields, so that a dataset never
names a version whose files are missing; only a new dataset is created before its files. `ckan_schema` knows how a portal spells the fields,
and `ckan_ownership` which datasets a push may change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from exports.model import media_types
from exports.push import ckan_fields, ckan_schema
from exports.push.ckan_client import Portal, Upload
from exports.push.ckan_dictionary import Columns, DataStore, dictionaries
from exports.push.ckan_fields import CONTENT, Dataset
from exports.push.ckan_ownership import check_rights, find
from exports.push.ckan_schema import Difference, Package, Schema
from exports.push.errors import GaveUpError, NotFoundError, PushError, RejectedError, TemporaryError
from exports.push.push_plan import PushPlan
from exports.push.retry_policy import RetryPolicy
from pipelines.core.errors import UsageError

ReportProgress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """The options of a push. If `upload` is None, files are uploaded only if the release has no addresses to link to.

    `only` are the datasets to push, by their names on the portal or in the release; empty for all. `adopt` are names of datasets on the
    portal that are taken over although they are not from this workspace. If `private` is None, new datasets are public, and others stay as
    they are.
    """

    upload: bool | None = None
    owner_org: str | None = None
    prefix: str | None = None
    language: str | None = None
    only: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()
    private: bool | None = None
    dry_run: bool = False
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True)
class Step:
    """One request that writes. `file` is the path of the file that is uploaded with it."""

    action: str
    body: Mapping[str, Any]
    resource: str | None = None
    file: str | None = None


def push(plan: PushPlan, portal: Portal, options: Options, report_progress: ReportProgress) -> tuple[int, int]:
    """Make the portal show the release. Return the number of its datasets, and how many of them were, or would be, changed.

    A dataset that fails does not keep the others from being pushed. Raises UsageError if the release or the options do not allow the push,
    and PushError for everything that the portal refuses or in which it fails.
    """
    datasets = _selected(ckan_fields.datasets(plan, options.prefix, options.language), options)
    linkable = ckan_fields.has_addresses(datasets)
    if options.upload is False and not linkable:
        raise UsageError("--links: the release has no addresses, because its pack has no base_uri; use --upload to send the files")
    upload = not linkable if options.upload is None else options.upload
    schema = options.retry_policy.run(lambda: _schema(portal), report_progress)
    options.retry_policy.run(lambda: check_rights(portal, options.owner_org), report_progress)
    datastore, columns = options.retry_policy.run(lambda: DataStore(portal), report_progress), dictionaries(plan, options.language)
    changed = 0
    failures = _Failures(len(datasets))
    for dataset in datasets:
        target = ckan_schema.package(dataset, schema, upload=upload, owner_org=options.owner_org, private=options.private)
        if failures.portal_is_down:
            failures.add(target.name, "not tried, because the portal does not answer")
            continue
        try:
            is_changed = _push_dataset(plan, portal, target, options, report_progress)
            has_new_columns = _push_dictionaries(datastore, target, columns, options, report_progress)
            changed += is_changed or has_new_columns
            failures.gave_up = 0
        except PushError as error:
            failures.add(target.name, str(error))
            failures.gave_up = failures.gave_up + 1 if isinstance(error, GaveUpError) else 0
    failures.raise_if_any()
    return len(datasets), changed


def _selected(datasets: list[Dataset], options: Options) -> list[Dataset]:
    """Return the datasets that the options name; all if they name none. Raises UsageError for a name that the release does not have."""
    names = {name for dataset in datasets for name in (dataset.id, dataset.name)}
    if wrong := sorted(options.only - names):
        raise UsageError(f"--only {wrong[0]}: the release has no such dataset; it has {', '.join(d.id for d in datasets)}")
    selected = [d for d in datasets if not options.only or options.only & {d.id, d.name}]
    if wrong := sorted(options.adopt - {d.name for d in selected}):
        raise UsageError(f"--adopt {wrong[0]}: the push has no dataset of this name; its names are {', '.join(d.name for d in selected)}")
    return selected


@dataclass
class _Failures:
    """The datasets that failed, by reason. `gave_up` is how many of the last ones failed although they were tried again and again."""

    count: int
    names: dict[str, list[str]] = field(default_factory=dict)
    gave_up: int = 0

    @property
    def portal_is_down(self) -> bool:
        """Whether further attempts are useless: a single dataset may fail by itself, but not two in a row."""
        return self.gave_up > 1

    def add(self, name: str, reason: str) -> None:
        self.names.setdefault(reason, []).append(name)

    def raise_if_any(self) -> None:
        """Raise a PushError with one line for every reason."""
        if not self.names:
            return
        lines = [f"{', '.join(names)}: {reason}" for reason, names in self.names.items()]
        finished = self.count - sum(map(len, self.names.values()))
        lines[-1] += f" ({finished} of {self.count} datasets are up to date; the same command continues from here)"
        raise PushError("\n".join(lines))


def _schema(portal: Portal) -> Schema:
    """Return the fields of a portal that has its own schema for datasets."""
    try:
        return Schema.from_json(portal.get("scheming_dataset_schema_show", type="dataset"))
    except (NotFoundError, PushError):  # a CKAN without ckanext-scheming does not have this action
        return Schema()


def _push_dataset(plan: PushPlan, portal: Portal, target: Package, options: Options, report_progress: ReportProgress) -> bool:
    """Bring one dataset up to date. Return whether anything was, or would be, changed."""
    shown = options.retry_policy.run(lambda: find(portal, target, options.adopt), report_progress)
    if options.dry_run:
        return _report_differences(plan, target, shown, report_progress)
    previous: Step | None = None
    changed = False
    while step := next_step(target, shown):
        if previous is not None and (step.resource, step.file) == (previous.resource, previous.file) and step.action == previous.action:
            kept = sorted({d.field for d in ckan_schema.differences(target, shown or {})})
            report_progress(f"{target.name}: the portal keeps its own values of: {', '.join(kept)}")
            break
        report_progress(f"{target.name}: {_description(plan, target, shown, step)}")
        # after a failure the portal is read again: the lost request may have arrived
        shown = options.retry_policy.run(lambda: _send_next(plan, portal, target, options), report_progress)
        previous, changed = step, True
    return changed


def _push_dictionaries(
    datastore: DataStore, target: Package, columns: Mapping[str, Columns], options: Options, report_progress: ReportProgress
) -> bool:
    """Bring the data dictionaries of a dataset up to date. Return whether any was, or would be, changed."""
    outdated = options.retry_policy.run(lambda: list(datastore.outdated(target, columns)), report_progress)
    for resource in outdated:
        path = target.paths[resource]
        report_progress(f"{target.name}: {'would describe' if options.dry_run else 'describe'} the columns of {path}")
        if not options.dry_run:
            options.retry_policy.run(partial(datastore.write, resource, columns[path]), report_progress)
    return bool(outdated)


def _send_next(plan: PushPlan, portal: Portal, target: Package, options: Options) -> dict[str, Any]:
    """Send the next step and return what the portal shows after it."""
    shown = find(portal, target, options.adopt)
    step = next_step(target, shown)
    if step is None:
        assert shown is not None
        return shown
    upload = None
    if step.file:
        media_type = media_types.media_type(step.file).split(";")[0]
        upload = Upload(f"update__resources__{step.resource}__upload", plan.checked_file(step.file), media_type)
    try:
        result = portal.post(step.action, step.body, upload)
    except RejectedError as error:
        if "match" in error.fields:
            raise TemporaryError(f"{target.name} was changed by somebody else at the same time, such as another push") from None
        if shown is None and find(portal, target, options.adopt) is not None:
            raise TemporaryError(f"{target.name} was created by somebody else at the same time, such as another push") from None
        raise
    except NotFoundError as error:
        raise PushError(f"{step.action}: {error}; is it a CKAN of version 2.9 or later?") from None
    after: dict[str, Any] = result["package"] if step.action == "package_revise" else result
    return after


def next_step(target: Package, shown: Mapping[str, Any] | None) -> Step | None:
    """Return the next request for a portal that shows `shown`, which is None for a new dataset. Return None if nothing differs."""
    uploads = any(fields.get("url_type") == "upload" for fields in target.resources.values())
    if shown is None:
        return Step("package_create", _creation(target, uploads))
    differences = list(ckan_schema.differences(target, shown))
    if uploads:
        for id_ in target.resources:
            if _needs_upload(id_, differences):
                own = [d for d in differences if d.resource == id_]
                return Step("package_revise", _revision(target, shown, own), id_, target.paths[id_])
    return Step("package_revise", _revision(target, shown, differences)) if differences else None


def _needs_upload(resource: str, differences: list[Difference]) -> bool:
    return any(d.resource == resource and d.field in ("resource", CONTENT, "url_type") for d in differences)


def _creation(target: Package, uploads: bool) -> dict[str, Any]:
    return {
        "name": target.name,
        **target.fields,
        "extras": [{"key": key, "value": value} for key, value in target.extras.items()],
        "tags": [{"name": tag} for tag in target.tags],
        "resources": [] if uploads else [{"id": id_, **fields} for id_, fields in target.resources.items()],
    }


def _revision(target: Package, shown: Mapping[str, Any], differences: list[Difference]) -> dict[str, Any]:
    """Return a revision that removes the differences. Lists are replaced as a whole; extras and tags of others stay.

    It applies only to the dataset as it was shown, so that a change by somebody else in the meantime is not overwritten.
    """
    update: dict[str, Any] = {}
    body: dict[str, Any] = {"match": {"id": shown["id"], "metadata_modified": shown.get("metadata_modified")}}
    removed: list[str] = []
    for d in differences:
        prefix = f"resources__{d.resource}__" if d.resource else ""
        if d.field == "resource":
            assert d.resource is not None
            fields = {name: value for name, value in target.resources[d.resource].items() if name != "url_type"}
            body.setdefault("update__resources__extend", []).append({"id": d.resource, **fields})
            continue
        if (d.resource and d.new is None) or isinstance(d.old, list | dict):
            removed.append(f"-{prefix}{d.field}")
        if d.resource and d.field == "url_type":
            if d.new is None:
                body.setdefault(f"update__resources__{d.resource}", {})["clear_upload"] = "true"
        elif d.resource and d.new is not None:
            body.setdefault(f"update__resources__{d.resource}", {})[d.field] = d.new
        elif d.resource is None and d.field != "tags" and not d.field.startswith("extras "):
            update[d.field] = d.new
    if any(d.resource is None and d.field.startswith("extras ") for d in differences):
        others = [e for e in shown.get("extras", []) if e["key"] not in ckan_schema.EXTRAS | set(target.extras)]
        removed.append("-extras")
        update["extras"] = [
            *({"key": e["key"], "value": e["value"]} for e in others),
            *({"key": key, "value": value} for key, value in target.extras.items()),
        ]
    if any(d.resource is None and d.field == "tags" for d in differences):
        removed.append("-tags")
        update["tags"] = [{"name": name} for name in dict.fromkeys([*(tag["name"] for tag in shown.get("tags", [])), *target.tags])]
    return {**body, **({"filter": removed} if removed else {}), **({"update": update} if update else {})}


def _description(plan: PushPlan, target: Package, shown: Mapping[str, Any] | None, step: Step) -> str:
    """Return what a step does."""
    if shown is None:
        return "create"
    if step.file:
        return f"upload {step.file}, {plan.files[step.file].bytes} bytes"
    fields = dict.fromkeys(d.field for d in ckan_schema.differences(target, shown))
    return f"revise {', '.join(fields)}"


def _report_differences(plan: PushPlan, target: Package, shown: Mapping[str, Any] | None, report_progress: ReportProgress) -> bool:
    """Report everything that a push would change in a dataset. Return whether it would change anything."""
    uploads = [id_ for id_, fields in target.resources.items() if fields.get("url_type") == "upload"]
    if shown is None:
        how = "uploads" if uploads else "links"
        report_progress(f"{target.name}: would create it, with these {how}: {', '.join(target.paths.values())}")
        return True
    differences = list(ckan_schema.differences(target, shown))
    for d in differences:
        path = f" {target.paths[d.resource]}:" if d.resource else ""
        report_progress(
            f"{target.name}:{path} {d}" if d.field != "resource" else f"{target.name}: would add {target.paths[d.resource or '']}"
        )
    for id_ in uploads:
        if _needs_upload(id_, differences):
            path = target.paths[id_]
            report_progress(f"{target.name}: would upload {path}, {plan.files[path].bytes} bytes")
    return bool(differences)

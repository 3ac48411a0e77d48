"""Find the dataset of a portal to which a dataset of the release belongs, and refuse those that others have made. Only reads.

A dataset is known by its name, or, if the portal's editors gave it another one, by the ids of its resources. A push changes it only if it
carries the mark of this workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from exports.push.ckan_client import Portal
from exports.push.ckan_fields import WORKSPACE
from exports.push.ckan_schema import Package
from exports.push.errors import NotFoundError, PushError


def check_rights(portal: Portal, owner_org: str | None) -> None:
    """Check that the portal accepts the key, and that its user may edit datasets of the organisation. Raises TemporaryError, PushError.

    A push that has nothing to do would notice neither.
    """
    organisations = portal.get("organization_list_for_user", permission="create_dataset")
    names = {name for organisation in organisations for name in (organisation.get("name"), organisation.get("id"))}
    if (owner_org is not None and owner_org not in names) or not names:
        where = f"of the organisation {owner_org} (--owner-org)" if owner_org is not None else "of any organisation"
        raise PushError(f"{portal.root} does not accept the key in {portal.variable}, or its user may not edit datasets {where}")


def find(portal: Portal, target: Package, adopted: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the dataset that the portal shows for `target`; None if it has none yet.

    Raises PushError if the dataset is from somebody else and not among the `adopted` names, or if it cannot be edited. Raises TemporaryError.
    """
    named = _package(portal, target.name)
    if named is not None and (target.name in adopted or is_from_this_workspace(target, named)):
        return _editable(target, named)
    for resource in target.resources:
        renamed = _package_of(portal, resource)
        if renamed is not None and is_from_this_workspace(target, renamed):
            return _editable(target, renamed)
        if renamed is not None and (named is None or renamed["id"] != named["id"]):
            raise PushError(
                f"the portal has its files in {renamed['name']}, which is not from this workspace; choose other names with --prefix"
            )
    if named is not None:
        raise PushError(
            "the portal has a dataset of this name that is not from this workspace; choose other names with --prefix, or take it over with "
            f"--adopt {target.name}"
        )
    return None


def is_from_this_workspace(target: Package, shown: Mapping[str, Any]) -> bool:
    """Whether a dataset carries the mark of the workspace from which `target` is pushed.

    A dataset without any mark is one from this workspace if it has the same address and identifier, as earlier versions wrote them.
    """
    mark = _value(shown, WORKSPACE)
    expected = {**target.extras, **target.fields}
    if mark:
        return bool(mark == expected.get(WORKSPACE))
    return bool(expected.get("uri")) and all(_value(shown, name) == expected.get(name) for name in ("uri", "identifier"))


def _value(shown: Mapping[str, Any], name: str) -> Any:
    """Return a field of a dataset, or the extra of that name."""
    return shown.get(name) or next((extra["value"] for extra in shown.get("extras", []) if extra["key"] == name), None)


def _editable(target: Package, shown: dict[str, Any]) -> dict[str, Any]:
    """Return the dataset. Raises PushError if it is deleted or unfinished, or belongs to another organisation."""
    if shown.get("state", "active") != "active":
        raise PushError(f"the dataset is {shown['state']} on the portal; restore or purge it there, or choose other names with --prefix")
    organisation = shown.get("organization") or {}
    requested = target.fields.get("owner_org")
    if requested and shown.get("owner_org") and requested not in (organisation.get("name"), organisation.get("id"), shown["owner_org"]):
        name = organisation.get("name") or shown["owner_org"]
        raise PushError(f"the dataset belongs to the organisation {name}; push it with --owner-org {name}, or move it on the portal first")
    return shown


def _package(portal: Portal, name_or_id: str) -> dict[str, Any] | None:
    try:
        shown: dict[str, Any] = portal.get("package_show", id=name_or_id)
    except NotFoundError:
        return None
    return shown


def _package_of(portal: Portal, resource: str) -> dict[str, Any] | None:
    """Return the dataset that has a resource; None if the portal has no such resource."""
    try:
        package_id = portal.get("resource_show", id=resource)["package_id"]
    except NotFoundError:
        return None
    return _package(portal, package_id)

"""References in `indices/*.yml`: the level, imputation groups, scales, and the indicators in the tree of components."""

from __future__ import annotations

from pipelines.core.yaml import KeyPath
from pipelines.packs.references.names import Names
from pipelines.packs.schema import Component, Index, Normalise


def check(names: Names, index: Index) -> None:
    """Report the faults of an index."""
    block = f"indices:{index.id}"
    names.check_level(block, ("level",), index.level)
    names.check_texts(block, ("title",), index.title)
    names.check_texts(block, ("note",), index.note)
    if index.max_age is not None and index.period == "each":
        names.report(block, ("max_age",), "is for period: latest; with each, carry limits how old a value may be")
    if index.carry and index.period != "each":
        names.report(block, ("carry",), "is for period: each; with latest, max_age limits how old a value may be")
    if index.impute and index.impute.by is None and index.impute.method.startswith("group"):
        names.report(block, ("impute",), f"{index.impute.method} needs by")
    if index.impute and index.impute.by is not None and index.impute.by not in names.area_columns:
        names.report(block, ("impute", "by"), f"{index.impute.by}: no source of areas declares this attribute")
    _check_normalise(names, block, ("normalise",), index.normalise)
    _check_require(names, block, ("require",), index.require, index.components)
    _check_components(names, block, ("components",), index.components, index.normalise, {index.id})


def _check_components(names: Names, block: str, path: KeyPath, components: list[Component], default: Normalise, ids: set[str]) -> None:
    """Report the faults of a group's components and of those below. `ids` has the identifiers so far and gets those of the groups."""
    indicators: set[str] = set()
    for i, component in enumerate(components):
        here = (*path, i)
        if component.indicator is not None:
            if component.indicator in indicators:
                names.report(block, (*here, "indicator"), f"{component.indicator}: is twice in this group")
            indicators.add(component.indicator)
            _check_leaf(names, block, here, component, default)
        if component.normalise is not None:
            _check_normalise(names, block, (*here, "normalise"), component.normalise)
        if component.bounds is not None and component.bounds[0] == component.bounds[1]:
            names.report(block, (*here, "bounds"), "the worst and the best value are the same")
        if component.id is not None:
            if component.id in ids:
                names.report(block, (*here, "id"), f"{component.id}: is used twice")
            ids.add(component.id)
            _check_require(names, block, (*here, "require"), component.require, component.components)
            _check_components(names, block, (*here, "components"), component.components, default, ids)


def _check_require(names: Names, block: str, path: KeyPath, require: str | list[str] | None, components: list[Component]) -> None:
    """Report required components that the group does not have."""
    names_of_components = {component.indicator or component.id for component in components}
    for i, name in enumerate(require if isinstance(require, list) else []):
        if name not in names_of_components:
            names.report(block, (*path, i), f"{name}: is no component of this group")


def _check_leaf(names: Names, block: str, path: KeyPath, component: Component, default: Normalise) -> None:
    indicator = names.pack.indicators.get(component.indicator or "")
    if indicator is None:
        names.report(block, (*path, "indicator"), f"{component.indicator}: no such indicator")
        return
    normalise = component.normalise or default
    if component.direction == "target" and indicator.target_value is None and component.bounds is None:
        names.report(block, (*path, "direction"), f"{indicator.id}: direction target needs the indicator's target_value")
    if normalise.method == "distance_to_target" and normalise.target is None and indicator.target_value is None:
        names.report(block, (*path, "indicator"), f"{indicator.id}: distance_to_target needs a target")
    if component.bounds is None and component.direction is None and indicator.direction == "none":
        message = f"{indicator.id}: an indicator with direction none has no score; give direction or bounds"
        names.report(block, (*path, "indicator"), message)


def _check_normalise(names: Names, block: str, path: KeyPath, normalise: Normalise) -> None:
    if normalise.method == "distance_to_reference" and normalise.reference is None:
        names.report(block, path, "distance_to_reference needs reference")
    if normalise.scale is None:
        return
    if normalise.method == "zscore" and normalise.scale[1] <= 0:
        names.report(block, (*path, "scale"), f"{normalise.scale[1]:g}: a standard deviation must be above 0")
    if normalise.method in ("minmax", "percentile") and normalise.scale[0] == normalise.scale[1]:
        names.report(block, (*path, "scale"), "both ends of the scale are the same")

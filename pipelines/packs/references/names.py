"""The names that the blocks of a pack declare, and checks that a reference to one of them exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from pipelines.core.addresses import split_address
from pipelines.core.vocabulary import AREA_KM2, AREAS
from pipelines.core.yaml import KeyPath
from pipelines.packs import expressions
from pipelines.packs.pack import Pack
from pipelines.packs.schema import AreaMap, AreaReference, AreasMap, Break, ObservationsMap, RegisterMap

Report = Callable[[str, KeyPath, str], None]
"""Takes the block of a fault (`pack`, `source:ID`, `indicators:ID`, `indices:ID`), the path of its key in the block, and a message."""

BUILT_IN_MEASURES = {AREAS, AREA_KM2}
AREA_FIELDS = {"ref_area", "level", "name", "country", "lat", "lon", "area_km2", "valid_from", "valid_to"}


def web_address_fault(address: str) -> str | None:
    """Return why a text is no http(s) address, or None."""
    if not address.isprintable():
        return "an address has no control characters"
    try:
        parts = split_address(address)
    except ValueError as error:
        return f"not an address: {error}"
    if parts.scheme not in ("http", "https"):
        return "expected an http or https address"
    return None if parts.hostname else "not an address: it names no host"


class Names:
    """The declared names of `pack`. The methods `check_*` report references to names that are not declared."""

    def __init__(self, pack: Pack, report: Report) -> None:
        self.pack = pack
        self.report = report

    @cached_property
    def levels(self) -> list[str]:
        """The levels of territory, finest first."""
        return [level.id for level in self.pack.file.levels]

    @cached_property
    def observation_maps(self) -> list[ObservationsMap]:
        """The maps of all sources of observations."""
        return [source.map for source in self.pack.sources.values() if isinstance(source.map, ObservationsMap)]

    @cached_property
    def area_maps(self) -> list[AreaMap]:
        """All maps of areas."""
        return [area for source in self.pack.sources.values() if isinstance(source.map, AreasMap) for area in source.map.area]

    @cached_property
    def measures(self) -> set[str]:
        """The measures that sources declare, mapped or counted."""
        mapped = {measure for observations in self.observation_maps for measure in observations.measures}
        return mapped | {measure for counted in self.pack.counted.values() for measure in counted.measures}

    @cached_property
    def weighted_measures(self) -> set[str]:
        """The measures that have `weighted_by`."""
        return {name for observations in self.observation_maps for name, measure in observations.measures.items() if measure.weighted_by}

    @cached_property
    def schemes(self) -> set[str]:
        """The schemes of the codes of areas."""
        return {scheme for area in self.area_maps for scheme in area.codes}

    @cached_property
    def area_columns(self) -> set[str]:
        """The columns that a condition on areas can use."""
        return AREA_FIELDS | self.area_attributes

    @cached_property
    def area_attributes(self) -> set[str]:
        """The attributes of areas."""
        return {attribute for area in self.area_maps for attribute in area.attributes}

    @cached_property
    def register_attributes(self) -> set[str]:
        """The attributes of the entries of all registers."""
        maps = [source.map for source in self.pack.sources.values() if isinstance(source.map, RegisterMap)]
        return {attribute for register in maps for attribute in register.attributes}

    def check_texts(self, block: str, path: KeyPath, texts: Mapping[str, str] | None) -> None:
        """Report texts by language of which none is in a language of the pack."""
        languages = self.pack.file.languages
        if texts and not set(texts) & {"", *languages}:
            self.report(block, path, f"the text is only in {', '.join(texts)}, and the languages of the pack are {', '.join(languages)}")

    def check_web_address(self, block: str, path: KeyPath, address: str | None) -> None:
        """Report an address of a page that is no http(s) address: readers follow it."""
        if address is not None and (fault := web_address_fault(address)):
            self.report(block, path, f"{address}: {fault}")

    def check_measure(self, block: str, path: KeyPath, measure: str | None, built_in: bool = False) -> None:
        """Report a measure that no source declares; with `built_in`, the built-in measures are allowed too."""
        if measure is not None and measure not in self.measures and not (built_in and measure in BUILT_IN_MEASURES):
            self.report(block, path, f"{measure}: no source declares this measure")

    def check_level(self, block: str, path: KeyPath, level: str) -> None:
        """Report a level that the pack does not declare."""
        if level not in self.levels:
            self.report(block, path, f"{level}: no such level")

    def check_scheme(self, block: str, path: KeyPath, area: AreaReference) -> None:
        """Report a scheme of codes that no source of areas declares."""
        if area.scheme is not None and area.scheme not in self.schemes:
            self.report(block, (*path, "scheme"), f"{area.scheme}: no source of areas declares this scheme")

    def check_areas(self, block: str, path: KeyPath, areas: str | None) -> None:
        """Report a text that is neither `all` nor a condition on areas."""
        if areas is not None and areas.strip() != "all":
            message = expressions.fault(areas, self.area_columns)
            if message:
                self.report(block, path, message)

    def check_breaks(self, block: str, breaks: list[Break]) -> None:
        """Report breaks in the series of measures that no source declares."""
        for i, item in enumerate(breaks):
            self.check_measure(block, ("breaks", i, "measure"), item.measure)
            self.check_texts(block, ("breaks", i, "note"), item.note)

"""The blocks of `pack.yml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from exports.model.site_choices import COLOURS
from pipelines.core.vocabulary import NEEDED_BY, TABLE_FORMATS
from pipelines.core.yaml import Text
from pipelines.packs.schema.base import Block, Identifier, Language, Owner, Tags, Texts


class Level(Block):
    """One level of territory."""

    id: Identifier = Field(description="Identifier of the level; areas refer to it.")
    title: Texts | None = Field(None, description="Title, as text or by language.")
    parents: list[Identifier] = Field(
        default_factory=list, description="Levels directly above this one; there may be several chains of levels."
    )


class Publisher(Block):
    """Who publishes the release."""

    name: Text = Field(description="Name of the organisation.")
    iri: Text | None = Field(None, description="IRI that identifies it.")
    email: Text | None = Field(None, description="Contact address of the organisation.")
    type: (
        Literal[
            "Academia-ScientificOrganisation", "Company", "IndustryConsortium", "LocalAuthority", "NationalAuthority",
            "NonGovernmentalOrganisation", "NonProfitOrganisation", "PrivateIndividual(s)", "RegionalAuthority", "StandardisationBody",
            "SupraNationalAuthority",
        ]
        | None
    ) = Field(None, description="Type of organisation, from the ADMS vocabulary.")  # fmt: skip


class Peers(Block):
    """How the areas most like an area are chosen."""

    k: int = Field(10, ge=1, le=100, description="Number of peers per area.")
    by: list[Identifier] = Field(min_length=1, description="Measures or indicators by which areas are compared.")


def _by_language(value: Any) -> Any:
    """Return lists of words by language. A single list is in the pack's first language and has the empty key."""
    return {"": value} if isinstance(value, list) else value


Keywords = Annotated[dict[str, Annotated[list[Text], Field(min_length=1)]], BeforeValidator(_by_language)]


class Topic(Block):
    """A data set of the release, as readers look for it. An indicator may be in several topics."""

    id: Text = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=60,
        description="Identifier, part of lasting addresses: small letters, digits and `_`, beginning with a letter.",
    )
    title: Texts = Field(description="Title.")
    description: Texts = Field(description="What the data show.")
    keywords: Keywords = Field(description="Words that readers may look for, as a list or by language.")
    theme: Literal["AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN"] = Field(
        "REGI", description="Theme of the data, from the EU's list of data themes."
    )
    objective: Text | None = Field(None, description="Its indicators are those of this objective; with `field`, those of both.")
    field: Literal["social", "economic", "environmental"] | None = Field(None, description="Its indicators are those of this field.")
    indicators: list[Identifier] = Field(
        default_factory=list, description="Its indicators, or further ones beside those of `objective` and `field`."
    )

    @model_validator(mode="after")
    def has_indicators(self) -> Topic:
        if not self.indicators and self.objective is None and self.field is None:
            raise ValueError("give indicators, objective or field")
        return self


COLOUR_NAMES = tuple(COLOURS)
Colour = Annotated[Text, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Colours = Annotated[dict[Literal[COLOUR_NAMES], Colour], Field(default_factory=dict)]  # type: ignore[valid-type]


class Site(Block):
    """How the web site of a release looks and what it is called. Everything has a default."""

    title: Texts | None = Field(None, description="Name in the head of every page; default: the title of the pack.")
    logo: Text | None = Field(
        None, description="PNG file of the pack, at most 100 kB and four times as wide as high, in place of the mark."
    )
    colours: Colours = Field(description="Colours in place of the usual ones, by name.")
    colours_dark: Colours = Field(description="The same for readers who prefer dark pages.")
    texts: dict[Text, dict[Text, Text]] = Field(
        default_factory=dict, description="Texts of the interface in place of the usual ones, by language and key of `site/texts`."
    )
    map_indicator: Identifier | None = Field(None, description="The indicator of the map on the first page; default: the first that suits.")


class PackFile(Block):
    """`pack.yml`: the territory, its levels, and the defaults of a pack."""

    id: Identifier = Field(description="Identifier of the pack; part of the path of its default home.")
    title: Texts = Field(description="Title, as text or by language.")
    publisher: Publisher | None = Field(None, description="Who publishes the release.")
    licence: Text = Field("NOASSERTION", description="SPDX identifier of the release's licence.")
    base_uri: Text | None = Field(None, description="Address under which the release is published.")
    country: Text = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code.")
    languages: list[Language] = Field(
        default_factory=lambda: ["en"],
        min_length=1,
        max_length=20,
        description="Languages of titles and descriptions; a text without a language is in the first one.",
    )
    timezone: Text = Field(
        "UTC",
        description="IANA time zone of local times. If it is given, a time with an offset from UTC becomes local time; otherwise the clock time "
        "counts as it is written.",
    )
    levels: list[Level] = Field(min_length=1, description="Levels of territory, finest first.")
    weight: Identifier | None = Field(None, description="Measure that weights areas in the coverage of ratios and in weighted statistics.")
    min_coverage: float = Field(
        0.9, ge=0, le=1, description="Smallest coverage with which the ratio of a parent area is published; a sum needs 1."
    )
    min_available: float = Field(0.6, ge=0, le=1, description="Default for the share of its components that a node of an index needs.")
    peers: Peers | None = Field(None, description="How the peers of areas are chosen.")
    catalogues: list[Literal["nkod", "sk"]] | None = Field(
        None,
        description="National catalogues to write files for; default: nkod if `country` is CZ, sk if it is SK. They need an https `base_uri`.",
    )
    owners: list[Owner] = Field(
        default_factory=list, description="Who looks after the pack, as Dagster shows it: e-mail addresses, or `team:name`."
    )
    tags: Tags = Field(default_factory=dict, description="Tags of all assets in Dagster, by name.")
    high_value: bool = Field(False, description="Annotate the release as a high-value dataset (statistics).")
    topics: list[Topic] | None = Field(
        None, description="The data sets by topic that catalogues list; default: one for each objective and field with indicators."
    )
    measures: dict[Identifier, Texts] = Field(default_factory=dict, description="Names of measures, as formulas show them to readers.")
    site: Site | None = Field(None, description="How the web site of a release looks.")
    formats: list[Literal["csv", "parquet", "duckdb", "xlsx", "jsonstat", "geo", "api", "site", "sdmx"]] = Field(
        ["csv", "parquet", "duckdb", "xlsx", "jsonstat", "geo", "api", "site"],
        description="What a release contains: the tables as `csv`, `parquet` and `duckdb`; the latest values as `xlsx`; the values of each "
        "indicator as `jsonstat` and as `sdmx`; the areas as `geo`; JSON files for programs as `api`; the web site as `site`, which needs "
        "`api`. `csv` and `parquet` cannot be left out; `sdmx` is made only on request.",
    )

    @field_validator("formats")
    @classmethod
    def _has_tables(cls, formats: list[str]) -> list[str]:
        if missing := [name for name in TABLE_FORMATS if name not in formats]:
            raise ValueError(f"every release has its tables as {' and '.join(TABLE_FORMATS)}: add {', '.join(missing)}")
        for name, needed in NEEDED_BY.items():
            if name in formats and needed not in formats:
                raise ValueError(f"{name} reads the files of {needed}: add {needed}, or leave {name} out")
        return formats

    @property
    def declared_timezone(self) -> str | None:
        """The time zone that the pack declares, or None: then the clock time counts as it is written, whatever its offset from UTC."""
        return self.timezone if "timezone" in self.model_fields_set else None

    def national_catalogues(self) -> list[str]:
        """Return the national catalogues to write files for: the declared ones, or the default for the country."""
        if self.catalogues is not None:
            return list(self.catalogues)
        return {"CZ": ["nkod"], "SK": ["sk"]}.get(self.country, [])

"""The declarations of a pack as strict pydantic models, one class per block of YAML and one module per kind of file.

The models read no file; `references` checks what one block says about another. `docs/pack-format.md` is generated from the
descriptions of the fields.
"""

from pipelines.packs.schema.base import ID, Block, ColumnName, Identifier, Period, Texts
from pipelines.packs.schema.fetch import Auth, Catalogue, Expect, Fetch, Paging, Push, Secret
from pipelines.packs.schema.index import Component, Impute, Index, Normalise, Treat, Uncertainty
from pipelines.packs.schema.indicator import Change, Formula, Indicator, Term, Window
from pipelines.packs.schema.mapping import (
    MAPS,
    AreaChangesMap,
    AreaMap,
    AreaReference,
    AreasMap,
    BoundariesMap,
    EventsMap,
    MeasureMap,
    ObservationsMap,
    RegisterMap,
)
from pipelines.packs.schema.pack import Level, PackFile, Peers, Publisher, Site, Topic
from pipelines.packs.schema.source import Break, ColumnSpec, Correction, CountedSource, FetchedSource, Lookup, Note, SourceHead

__all__ = [
    "ID",
    "MAPS",
    "AreaChangesMap",
    "AreaMap",
    "AreaReference",
    "AreasMap",
    "Auth",
    "Block",
    "BoundariesMap",
    "Break",
    "Catalogue",
    "Change",
    "ColumnName",
    "ColumnSpec",
    "Component",
    "Correction",
    "CountedSource",
    "EventsMap",
    "Expect",
    "Fetch",
    "FetchedSource",
    "Formula",
    "Identifier",
    "Impute",
    "Index",
    "Indicator",
    "Level",
    "Lookup",
    "MeasureMap",
    "Normalise",
    "Note",
    "ObservationsMap",
    "PackFile",
    "Paging",
    "Peers",
    "Period",
    "Publisher",
    "Push",
    "RegisterMap",
    "Secret",
    "Site",
    "SourceHead",
    "Term",
    "Texts",
    "Topic",
    "Treat",
    "Uncertainty",
    "Window",
]

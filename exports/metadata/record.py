"""provenance.json: digests of everything that this release was made from, the state of its data sets, and the version that its table
`changes` compares with."""

from __future__ import annotations

from dataclasses import asdict

from exports.metadata.text import to_json
from exports.model.info import Context
from exports.model.provenance import PATH

DATA_SETS = "data_sets"


def descriptor(context: Context) -> dict[str, bytes]:
    compared_with = context.changes.version if context.changes and not context.changes.not_comparable else None
    states = {DATA_SETS: {name: asdict(state) for name, state in context.states.items()}}
    head = {"version": context.version, "compared_with": compared_with}
    return {PATH: to_json({**head, **context.info.provenance.to_json(), **states})}

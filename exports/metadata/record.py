"""provenance.json: digests of everything that this release was made from, and the version that its table `changes` compares with."""

from __future__ import annotations

from exports.metadata.text import to_json
from exports.model.info import Context
from exports.model.provenance import PATH


def descriptor(context: Context) -> dict[str, bytes]:
    compared_with = context.changes.version if context.changes and not context.changes.not_comparable else None
    return {PATH: to_json({"version": context.version, "compared_with": compared_with, **context.info.provenance.to_json()})}

"""provenance.json: digests of what this release was made from, and the release that its table `changes` is against."""

from __future__ import annotations

from exports.metadata.text import to_json
from exports.model.info import Context
from exports.model.provenance import PATH


def descriptor(context: Context) -> dict[str, bytes]:
    against = context.changes.version if context.changes and not context.changes.unusable else None
    return {PATH: to_json({"version": context.version, "compared_with": against, **context.info.provenance.as_dict()})}

"""Since when a release has its data sets as they are: compares their files with those of the previous release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exports.metadata.catalogue import Dataset, dcat_catalogue
from exports.metadata.record import DATA_SETS
from exports.model import layout, provenance
from exports.model.info import Context, DataSetState

CHANGES = layout.csv_path("changes")
"""What changed since the previous release is no content of the release as a whole."""
UNCHANGING = (".csv", ".geojson")
"""The endings of files that are equal if their values are. Others contain versions of the software, or the values of other data sets."""


def states(context: Context, previous: Path | None) -> dict[str, DataSetState]:
    """Return the state of each data set of a release whose files are complete. `previous` is the folder of the previous release."""
    before = _recorded(previous)
    states_by_id = {}
    for dataset in dcat_catalogue(context).datasets:
        now, digest = context.info.timestamp, _digest(context, dataset)
        old = before.get(dataset.id)
        is_same = old is not None and old.digest == digest
        states_by_id[dataset.id] = DataSetState(digest, old.issued if old else now, old.modified if old and is_same else now)
    return states_by_id


def digests(context: Context) -> dict[str, str]:
    """Return a digest of the content of each data set by topic, for the ledger."""
    return {dataset.id: _digest(context, dataset) for dataset in dcat_catalogue(context).by_topic}


def _digest(context: Context, dataset: Dataset) -> str:
    """Return a digest of the files of a data set; for the release as a whole, of all tables."""
    paths = (
        [file.path for file in dataset.distributions]
        if dataset.topic
        else [path for path in context.files if path.startswith("csv/") and path != CHANGES]
    )
    sums = {path: context.files[path].sha256 for path in paths if path.endswith(UNCHANGING) and path in context.files}
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _recorded(release: Path | None) -> Mapping[str, DataSetState]:
    """Return the states in the record of a release. Those that an earlier version did not write, or wrote in another form, are left out."""
    recorded: Any = (provenance.read(release) or {}).get(DATA_SETS) if release else None
    if not isinstance(recorded, Mapping):
        return {}
    states_by_id = {}
    for name, value in recorded.items():
        if isinstance(value, Mapping) and all(isinstance(value.get(key), str) for key in ("digest", "issued", "modified")):
            states_by_id[name] = DataSetState(value["digest"], value["issued"], value["modified"])
    return states_by_id

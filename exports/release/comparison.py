"""Compare the current release with an earlier one when somebody asks. Changes no release."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from exports.model import provenance
from exports.model.change_summary import Summary
from exports.model.errors import ReleaseRequestError
from exports.release.entries import PRUNED, RELEASES
from exports.release.ledger import current, read_ledger


@dataclass(frozen=True)
class Comparison:
    """What differs in the release `version`. `summary` is None for a first release if no other version was named."""

    version: str
    summary: Summary | None


def compare_current(public: Path, version: str | None, spill: Path, out: Path | None = None) -> Comparison:
    """Compare the current release with `version`, by default with the release that its table `changes` refers to.

    All differences go into the CSV file `out`, however many there are, with the columns of `changes`. `spill` is a folder for temporary
    files. Raises ReleaseError if there is nothing to compare with.
    """
    latest = current(public)
    if latest is None:
        raise ReleaseRequestError(f"{public}: nothing has been published yet")
    folder = public / RELEASES / latest.version
    version = version or provenance.compared_with(folder)
    if version is None:
        return Comparison(latest.version, None)
    ledger = read_ledger(public)
    entry = ledger.find(version)
    if entry is None:
        raise ReleaseRequestError(f"{version}: no such release; the releases are {', '.join(ledger.kept)}")
    if entry.is_pruned:
        raise ReleaseRequestError(f"{version}: its files were removed{entry.when_and_why(PRUNED)}")
    from exports.changes import compare
    from exports.model.connection import Limits

    try:
        with compare.csv_file(out) if out else nullcontext() as sink:
            record = provenance.of_release(folder)
            earlier = public / RELEASES / version
            return Comparison(
                latest.version, compare.compare(earlier, folder, version, record, Limits(spill=spill), sink, limit=sys.maxsize)
            )
    except compare.NotComparableError as error:
        raise ReleaseRequestError(f"cannot compare with {version}: {error}") from error

"""Which two kept releases are compared when somebody asks: the current one, and the one before it or any earlier one. Writes what it is told."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from exports.model import provenance
from exports.model.change_summary import Summary
from exports.model.errors import ReleaseError
from exports.release import ledger
from exports.release.ledger import PRUNED


@dataclass(frozen=True)
class Compared:
    """`summary` of what differs in the release `version`; None where it is a first release and nothing else was named."""

    version: str
    summary: Summary | None


def since(public: Path, version: str | None, spill: Path, out: Path | None = None) -> Compared:
    """Compare the current release with `version`, by default with the one that its table `changes` is against.

    All differences, however many, go into the CSV file `out`, with the columns of `changes`. `spill` is a folder for passing files.
    Raises ReleaseError where there is nothing to compare.
    """
    current = ledger.current(public)
    if current is None:
        raise ReleaseError(f"{public}: nothing was published yet")
    folder = public / ledger.RELEASES / current.version
    wanted = version or provenance.compared_with(folder)
    if wanted is None:
        return Compared(current.version, None)
    known = {entry.version: entry for entry in ledger.history(public)}
    if wanted not in known:
        kept = ", ".join(v for v, entry in known.items() if not entry.is_pruned)
        raise ReleaseError(f"{wanted}: there is no such release; there are {kept}")
    if known[wanted].is_pruned:
        raise ReleaseError(f"{wanted}: its files were removed{known[wanted].told(PRUNED)}")
    from exports.changes import compare

    try:
        with compare.csv_file(out) if out else nullcontext() as sink:
            facts = provenance.of_release(folder)
            old = public / ledger.RELEASES / wanted
            return Compared(current.version, compare.compare(old, folder, wanted, facts, spill, sink, limit=sys.maxsize))
    except compare.UnusableError as error:
        raise ReleaseError(f"{wanted} cannot be compared with: {error}") from error

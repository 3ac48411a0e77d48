"""The licence of what is made from several sources. Knows SPDX identifiers only."""

from __future__ import annotations

import re
from collections.abc import Iterable

NO_LICENCE = "NOASSERTION"
"""In place of an SPDX identifier: the publisher states no licence."""
_SHARE_ALIKE = re.compile(r"CC-BY-(NC-)?SA-.*|ODbL-.*")


def combined(own: str, of_sources: Iterable[str]) -> str:
    """Return the licence of data that are made from sources with the licences `of_sources`: `own`, unless one of them is share-alike."""
    shared = sorted({licence for licence in of_sources if _SHARE_ALIKE.fullmatch(licence)})
    return own if own in shared or not shared else shared[-1]

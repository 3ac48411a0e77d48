"""Fetch the bytes of sources: conditional, bounded, retried, page by page where need be. What rows are in them is read elsewhere.

`fetcher` turns requests into snapshots; `protocols` and `paging` know what to ask, `client`, `network` and `local` how to ask it, `pace` how
often; `judgement` says whether what came may become a snapshot.
"""

from pipelines.fetch.fetcher import fetch_all, is_paged
from pipelines.fetch.limits import Limits
from pipelines.fetch.request import Answer, FetchError, Request, address

__all__ = ["Answer", "FetchError", "Limits", "Request", "address", "fetch_all", "is_paged"]

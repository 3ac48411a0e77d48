"""How much a fetch may take: time, bytes, requests. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one call of `fetch_all`: of each answer, of each host and of the whole run. Seconds and bytes."""

    connect: float = 10
    silence: float = 60  # between two packets
    retries: int = 4
    backoff: float = 1  # doubles with every retry, plus a random part
    patience: float = 60  # the longest Retry-After that is waited for
    max_bytes: int = 2 * 1024**3  # of one answer, and of all pages of one
    min_rate: float = 1000  # bytes a second, on average, once `grace` has passed
    grace: float = 30
    redirects: int = 5
    concurrent: int = 6  # sources at a time
    per_host: int = 2  # requests at a time
    per_second: float = 10  # requests of one host, where a source declares no other rate
    max_pages: int = 5_000
    poll: float = 5  # between two questions whether an asynchronous answer is ready
    polling: float = 600
    run_bytes: int = 20 * 1024**3
    run_requests: int = 20_000

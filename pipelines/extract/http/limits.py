"""How much a fetch may take: time, bytes, requests. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one call of `fetch_all`: per response, per host and for the whole run. In seconds and bytes."""

    connect_timeout: float = 10
    read_timeout: float = 60  # between two packets
    retries: int = 4
    backoff: float = 1  # doubles with every retry, plus a random part
    max_retry_after: float = 60  # a server that asks to wait longer is given up
    max_bytes: int = 2 * 1024**3  # of one response, and of all pages of one source part
    min_rate: float = 1000  # bytes per second, on average, once `min_rate_after` has passed
    min_rate_after: float = 30
    redirects: int = 5
    concurrent: int = 6  # requests at a time
    per_host: int = 2  # requests to one host at a time
    per_second: float = 10  # requests to one host, where a source declares no other rate
    max_pages: int = 5_000
    poll_interval: float = 5  # between two requests for a response that the server is still preparing
    poll_timeout: float = 600
    run_bytes: int = 20 * 1024**3
    run_requests: int = 20_000

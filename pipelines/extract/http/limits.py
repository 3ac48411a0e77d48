"""How much a fetch may take: time, bytes, requests. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.core.settings import Settings


@dataclass(frozen=True)
class Limits:
    """The limits of one call of `fetch_all`: per part of a source, per response, per host and for the whole run. In seconds and bytes."""

    deadline: float = 600  # of a part of a source: all its requests, without the time in which they wait for their turn
    optional_deadline: float = 1200  # of all sources that are optional, from the first of them on
    response_timeout: float = 90  # until the body of a response begins: redirects, retries and waits that the server asks for included
    message_timeout: float = 5  # for the text of an error
    connect_timeout: float = 10
    read_timeout: float = 60  # between two packets
    retries: int = 4
    backoff: float = 1  # doubles with every retry, plus a random part
    max_retry_after: float = 60  # a server that asks to wait longer is given up
    max_bytes: int = 2 * 1024**3  # of one response, and of all pages of one source part
    min_rate: float = 1000  # bytes per second, on average, once `min_rate_after` has passed
    min_rate_after: float = 30
    redirects: int = 5
    concurrent: int = 6  # sources at a time
    per_host: int = 2  # requests to one host at a time
    patience: float = 30  # seconds after which a source or a request is slow, and another one may begin beside it
    slow: int = 26  # sources at a time beside `concurrent`, where so many are slow
    slow_per_host: int = 4  # requests to one host, likewise
    per_second: float = 10  # requests to one host, where a source declares no other rate
    max_pages: int = 5_000
    max_records: int = 5_000_000  # of all pages of one source part
    max_document: int = 128 * 1024**2  # bytes of a page or a catalogue, which is read into memory
    max_values: int = 10_000_000  # in a page or a catalogue
    max_items: int = 250_000  # in a catalogue that tells when each item changed
    max_address: int = 16_000  # characters of an address or a cursor that a server names
    max_head: int = 128 * 1024  # characters of the headers of a response
    max_encodings: int = 4  # one on top of the other
    poll_interval: float = 5  # between two requests for a response that the server is still preparing
    poll_timeout: float = 600
    run_bytes: int = 20 * 1024**3
    run_requests: int = 20_000
    own_bytes: int = 256 * 1024**2  # of each source, whatever the others have used of the run's
    own_requests: int = 1_000  # likewise

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits of a run, with those that the operator has set."""
        return cls(
            deadline=settings.fetch_deadline,
            optional_deadline=settings.fetch_optional_deadline,
            response_timeout=settings.fetch_response_timeout,
            max_bytes=settings.fetch_bytes,
        )

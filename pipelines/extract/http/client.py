"""Ask a server and take its answer into a file: secrets to their hosts only, bounded in size and time, retried. Knows no protocol above HTTP."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from pipelines.core.settings import Settings
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.rate_limit import Pace
from pipelines.extract.http.request import FetchError, Received
from pipelines.packs.schema import Auth, FetchedSource

BLOCK = 1 << 16
_REASON = 300  # characters of a server's own words that are worth repeating


class Client:
    """Asks servers for one run. Safe to use from several threads. `contact` tells them whom to write to."""

    def __init__(self, settings: Settings, limits: Limits, contact: str) -> None:
        self.user_agent = f"zpo2-warehouse/{version('zpo2-warehouse')} (open-data indicator pipeline; contact: {contact})"
        self.settings = settings
        self.limits = limits
        self.pace = Pace(limits)
        self._session: Any = None
        self._first = Lock()

    def ask(
        self,
        source: FetchedSource,
        url: str,
        folder: Path,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        known: Mapping[str, str] | None = None,
    ) -> Received:
        """Return what `url` answers, in a file of `folder`; a `body` is posted as JSON. `known` are the headers of the last answer.

        Raises FetchError for every answer but 200 (and 304 to a conditional question), and for bytes that break off or run over.
        """
        headers = self._headers(source, url, known)
        last: FetchError | None = None
        for attempt in range(2):  # the library repeats what failed before the body came; a body that broke off is asked for once more
            if last is not None:
                time.sleep(self.limits.backoff * 2**attempt)
            with self.pace.turn(urlsplit(url).netloc.lower(), source.fetch.rate):
                try:
                    return self._exchange(source, url, folder, params, body, headers)
                except _BrokenOff as error:
                    last = FetchError(str(error))
        assert last is not None
        raise last

    def _headers(self, source: FetchedSource, url: str, known: Mapping[str, str] | None) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}
        own = urlsplit(source.fetch.url).netloc.lower() == urlsplit(url).netloc.lower()
        if own:
            headers = {**source.fetch.headers, **headers}
        if known:
            for header, question in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")):
                if known.get(header):
                    headers[question] = known[header]
        auth = source.fetch.auth
        if auth and auth.bearer_env:
            secret = self.settings.secret(auth.bearer_env)
            if secret is None:
                raise FetchError(f"{url}: {auth.bearer_env} is not set")
            if (urlsplit(url).hostname or "") in self.settings.secret_hosts(auth.bearer_env):
                headers[auth.header] = secret_value(auth, secret)
            elif own:
                raise FetchError(f"{url}: {auth.bearer_env}_HOSTS does not name this host: the secret is not sent")
        return headers

    def _exchange(
        self, source: FetchedSource, url: str, folder: Path, params: Mapping[str, str] | None, body: Any, headers: dict[str, str]
    ) -> Received:
        import requests  # the network's libraries are not needed for mirrors and local packs
        from urllib3.exceptions import HTTPError

        from pipelines.core.retry import retry_after
        from pipelines.extract.http.network import AddressRefusedError, BusyError

        auth = source.fetch.auth
        try:
            with self._http().request(
                "GET" if body is None else "POST",
                url,
                params=dict(params or {}) or None,
                json=body,
                headers=headers,
                timeout=(self.limits.connect, self.limits.silence),
                stream=True,
            ) as response:
                if response.status_code == 304:
                    return Received(None, final_url=_without_query(response.url))
                if response.status_code != 200:
                    words = f"answered {response.status_code} {response.reason}{self._words(response, auth)}"
                    raise FetchError(f"{url}: {words}", response.status_code, retry_after(response.headers.get("Retry-After")))
                return self._receive(source, url, response, folder)
        except AddressRefusedError as error:
            raise FetchError(f"{url}: {error}") from None
        except BusyError as error:
            raise FetchError(
                f"{url}: answered {error.status} and asks to be left alone for {error.seconds:.0f} s", wait=error.seconds
            ) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise FetchError(f"{url}: {_cause(error)}") from None
        except requests.RequestException as error:
            raise FetchError(f"{url}: {type(error).__name__}: {error}") from None
        except ValueError as error:  # an address, mostly of a redirect, that is none
            raise FetchError(f"{url}: leads to no address: {error}") from None
        except (HTTPError, OSError) as error:  # while the body was read
            raise _BrokenOff(f"{url}: broke off: {_cause(error)}") from None

    def _receive(self, source: FetchedSource, url: str, response: Any, folder: Path) -> Received:
        expect = source.fetch.expect
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if expect and expect.media_type and media_type != expect.media_type.lower():
            raise FetchError(f"{url}: media type {media_type or 'not stated'}, {expect.media_type} is due")
        due = response.headers.get("Content-Length", "")
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        if due.isdigit() and int(due) > self.limits.max_bytes:
            raise FetchError(f"{url}: {due} bytes, at most {self.limits.max_bytes} are taken")
        digest, size, began = hashlib.sha256(), 0, time.monotonic()
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            while block := response.raw.read1(BLOCK, decode_content=encoded):
                size += len(block)
                if size > self.limits.max_bytes:
                    raise FetchError(f"{url}: more than {self.limits.max_bytes} bytes")
                elapsed = time.monotonic() - began
                if elapsed > self.limits.grace and size < self.limits.min_rate * elapsed:
                    raise FetchError(f"{url}: too slow: {size} bytes in {elapsed:.0f} s")
                self.pace.spend(len(block))
                digest.update(block)
                file.write(block)
        if due.isdigit() and not encoded and int(due) != size:
            raise _BrokenOff(f"{url}: truncated: {size} of {due} bytes")
        kept = {k: response.headers[k] for k in ("etag", "last-modified") if k in response.headers}
        link = response.links.get("next", {}).get("url")
        return Received(Path(file.name), digest.hexdigest(), size, _without_query(response.url), media_type, kept, link)

    def _words(self, response: Any, auth: Auth | None) -> str:
        """Return the server's own reason, if it gave one in words, without anything secret."""
        if "html" in response.headers.get("Content-Type", ""):
            return ""
        text = response.raw.read(4 * _REASON, decode_content=True).decode("utf-8", "replace")
        secret = self.settings.secret(auth.bearer_env) if auth and auth.bearer_env else None
        if secret:
            text = text.replace(secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return f": {text[:_REASON]}" if text else ""

    def _http(self) -> Any:
        with self._first:
            if self._session is None:
                from pipelines.extract.http import network

                self._session = network.session(self.settings.allowed_hosts(), self.limits)
        return self._session


class _BrokenOff(Exception):
    """The body did not come to its end."""


def secret_value(auth: Auth, secret: str) -> str:
    """Return what is sent in the header of a secret."""
    return f"Bearer {secret}" if auth.header == "Authorization" else secret


def _cause(error: BaseException) -> str:
    """Return the innermost reason: a timeout, a reset, a name that does not resolve."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    return f"{type(error).__name__}: {error}"


def _without_query(url: str) -> str:
    """An address as it may be kept: a query may hold a key."""
    return urlsplit(url)._replace(query="", fragment="").geturl()

"""Send a request and save the response to a file. Secrets go to their hosts only; size and time are limited; failures are retried.

Knows no protocol above HTTP.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines.core.settings import Settings
from pipelines.extract.http import decoding
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.rate_limit import RateLimiter
from pipelines.extract.http.request import Download, FetchError
from pipelines.packs.schema import Auth, FetchedSource, Secret

_MAX_MESSAGE = 300  # characters of a server's own error message that are repeated


class Client:
    """Sends the requests of one run. Safe to use from several threads. `contact` tells servers whom to write to."""

    def __init__(self, settings: Settings, limits: Limits, contact: str) -> None:
        self.user_agent = f"zpo2-warehouse/0.1 (open-data indicator pipeline; contact: {contact})"
        self.settings = settings
        self.limits = limits
        self.rate_limiter = RateLimiter(limits)
        self._session: Any = None
        self._session_lock = Lock()

    def get(
        self,
        source: FetchedSource,
        url: str,
        folder: Path,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        last_headers: Mapping[str, str] | None = None,
    ) -> Download:
        """Return the response of `url`, saved in `folder`. A `body` is posted as JSON. `last_headers` are those of the last response.

        Raises FetchError for every status but 200 (and 304 to a conditional request), and for a body that is cut off or too large.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

        headers = self._headers(source, url, last_headers)
        if _is_own_host(source, url):
            in_address = parse_qs(urlsplit(url).query)  # the address of a next page may have the secret already
            secrets = {name: secret for name, secret in self._secrets(url, source.fetch.params).items() if name not in in_address}
            params = {**(params or {}), **secrets}
        host = urlsplit(url).netloc.lower()
        # the session retries failures before the body; only a body that was cut off is requested once more here
        for attempt in Retrying(
            retry=retry_if_exception_type(_BodyCutOff), stop=stop_after_attempt(2), wait=wait_fixed(2 * self.limits.backoff), reraise=True
        ):
            with attempt, self.rate_limiter.slot(host, source.fetch.rate):
                download = self._send(source, url, folder, params, body, headers)
        return download

    def _headers(self, source: FetchedSource, url: str, last_headers: Mapping[str, str] | None) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}
        is_own_host = _is_own_host(source, url)
        if is_own_host:
            plain = {name: text for name, text in source.fetch.headers.items() if isinstance(text, str)}
            headers = {**plain, **self._secrets(url, source.fetch.headers), **headers}
        if last_headers:
            for name, condition in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")):
                if last_headers.get(name):
                    headers[condition] = last_headers[name]
        auth = source.fetch.auth
        if auth and auth.bearer_env and (is_own_host or (urlsplit(url).hostname or "") in self.settings.secret_hosts(auth.bearer_env)):
            headers[auth.header] = secret_value(auth, self._secret(url, auth.bearer_env))
        return headers

    def _secrets(self, url: str, given: Mapping[str, str | Secret]) -> dict[str, str]:
        """Return the values of the secrets among headers or parameters. Raises FetchError if the host of `url` may not get one."""
        return {name: self._secret(url, value.secret_env) for name, value in given.items() if isinstance(value, Secret)}

    def _secret(self, url: str, variable: str) -> str:
        secret = self.settings.secret(variable)
        if secret is None:
            raise FetchError(f"{url}: {variable} is not set")
        if (urlsplit(url).hostname or "") not in self.settings.secret_hosts(variable):
            raise FetchError(f"{url}: the secret is not sent, because {variable}_HOSTS does not name this host")
        return secret

    def _send(
        self, source: FetchedSource, url: str, folder: Path, params: Mapping[str, str] | None, body: Any, headers: dict[str, str]
    ) -> Download:
        import requests  # the network libraries are not needed for mirrors and local packs
        from urllib3.exceptions import HTTPError

        from pipelines.core.retry import retry_after
        from pipelines.extract.http.network import AddressNotAllowed, ServerBusy

        auth = source.fetch.auth
        try:
            with self._http().request(
                "GET" if body is None else "POST",
                url,
                params=dict(params or {}) or None,
                json=body,
                headers=headers,
                timeout=(self.limits.connect_timeout, self.limits.read_timeout),
                stream=True,
            ) as response:
                if response.status_code == 304:
                    return Download(None, final_url=_without_query(response.url))
                if response.status_code != 200:
                    message = f"answered {response.status_code} {response.reason}{self._server_message(response, auth)}"
                    raise FetchError(f"{url}: {message}", response.status_code, retry_after(response.headers.get("Retry-After")))
                return self._save(source, url, response, folder)
        except AddressNotAllowed as error:
            raise FetchError(f"{url}: {error}") from None
        except ServerBusy as error:
            raise FetchError(f"{url}: answered {error.status} and asks to wait {error.seconds:.0f} s", retry_after=error.seconds) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise FetchError(f"{url}: {_cause(error)}") from None
        except requests.RequestException as error:
            raise FetchError(f"{url}: {type(error).__name__}: {error}") from None
        except ValueError as error:  # mostly the target of a redirect
            raise FetchError(f"{url}: leads to an invalid address: {error}") from None
        except (HTTPError, OSError) as error:  # while the body was read
            raise _BodyCutOff(f"{url}: reading the response failed: {_cause(error)}") from None

    def _save(self, source: FetchedSource, url: str, response: Any, folder: Path) -> Download:
        expect = source.fetch.expect
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if expect and expect.media_type and media_type != expect.media_type.lower():
            raise FetchError(f"{url}: expected media type {expect.media_type}, got {media_type or 'none'}")
        length = response.headers.get("Content-Length", "")
        encodings = decoding.names_of(response.headers.get("Content-Encoding", ""))
        if unsupported := [name for name in encodings if name not in decoding.ENCODINGS]:
            raise FetchError(
                f"{url}: the response is compressed with {unsupported[0]!r}, which is not supported, although none was asked for; "
                "look for another address of the same file, or drop the file into the inbox"
            )
        if length.isdigit() and int(length) > self.limits.max_bytes:
            raise FetchError(f"{url}: {length} bytes; the limit is {self.limits.max_bytes} bytes")
        digest, size, began = hashlib.sha256(), 0, time.monotonic()
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            received = iter(lambda: response.raw.read1(decoding.BLOCK, decode_content=False), b"")
            for block in decoding.decoded(received, encodings):
                size += len(block)
                if size > self.limits.max_bytes:
                    raise FetchError(f"{url}: more than {self.limits.max_bytes} bytes")
                elapsed = time.monotonic() - began
                if elapsed > self.limits.min_rate_after and size < self.limits.min_rate * elapsed:
                    raise FetchError(f"{url}: too slow: {size} bytes in {elapsed:.0f} s")
                self.rate_limiter.count_bytes(len(block))
                digest.update(block)
                file.write(block)
        if length.isdigit() and not set(encodings) - {"identity"} and int(length) != size:
            raise _BodyCutOff(f"{url}: the response is incomplete: {size} of {length} bytes")
        validators = {name: response.headers[name] for name in ("etag", "last-modified") if name in response.headers}
        next_link = response.links.get("next", {}).get("url")
        return Download(Path(file.name), digest.hexdigest(), size, _without_query(response.url), media_type, validators, next_link)

    def _server_message(self, response: Any, auth: Auth | None) -> str:
        """Return the server's own error message, if it sent plain text, without anything secret."""
        if "html" in response.headers.get("Content-Type", ""):
            return ""
        text = response.raw.read(4 * _MAX_MESSAGE, decode_content=True).decode("utf-8", "replace")
        secret = self.settings.secret(auth.bearer_env) if auth and auth.bearer_env else None
        if secret:
            text = text.replace(secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return f": {text[:_MAX_MESSAGE]}" if text else ""

    def _http(self) -> Any:
        with self._session_lock:
            if self._session is None:
                from pipelines.extract.http import network

                self._session = network.session(self.settings.allowed_hosts(), self.limits)
        return self._session


class _BodyCutOff(FetchError):
    """The body ended too early."""


def _is_own_host(source: FetchedSource, url: str) -> bool:
    return urlsplit(source.fetch.url).netloc.lower() == urlsplit(url).netloc.lower()


def secret_value(auth: Auth, secret: str) -> str:
    """Return the value of the header that carries a secret."""
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
    """Return an address as it may be stored: a query may hold a key."""
    return urlsplit(url)._replace(query="", fragment="").geturl()

"""Send a request and save the response to a file. Secrets go to their hosts only; size and time are limited; failures are retried.

Knows no protocol above HTTP.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines.core.printable import one_line
from pipelines.core.settings import Settings
from pipelines.extract.http import decoding
from pipelines.extract.http.deadline import Deadline, Overdue, Watch
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.losses import Losses
from pipelines.extract.http.rate_limit import RateLimiter
from pipelines.extract.http.request import Download, FetchError, NotAsked
from pipelines.packs.schema import Auth, FetchedSource, Secret

_MAX_MESSAGE = 300  # characters of a server's own error message that are repeated
_MAX_HEADER = 1000  # characters of a header that is kept
_MAX_LENGTH_DIGITS = 18


class Client:
    """Sends the requests of one run. Safe to use from several threads. `contact` tells servers whom to write to."""

    def __init__(self, settings: Settings, limits: Limits, contact: str) -> None:
        self.user_agent = f"zpo2-warehouse/0.1 (open-data indicator pipeline; contact: {contact})"
        self.settings = settings
        self.limits = limits
        self.rate_limiter = RateLimiter(limits)
        self.losses = Losses(limits.deadline)
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
        deadline: Deadline | None = None,
    ) -> Download:
        """Return the response of `url`, saved in `folder`. A `body` is posted as JSON. `last_headers` are those of the last response.

        Raises FetchError for every status but 200 (and 304 to a conditional request), for a body that is cut off or too large, and where the
        response is not complete by the `deadline`; the time in which the request waits for its turn does not count.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

        headers = self._headers(source, url, last_headers)
        if _is_own_host(source, url):
            in_address = parse_qs(urlsplit(url).query)  # the address of a next page may have the secret already
            secrets = {name: secret for name, secret in self._secrets(url, source.fetch.params).items() if name not in in_address}
            params = {**(params or {}), **secrets}
        host, deadline = urlsplit(url).netloc.lower(), deadline or Deadline(self.limits.deadline)
        sent = {
            "method": "GET" if body is None else "POST",
            "url": url,
            "params": dict(params or {}) or None,
            "json": body,
            "headers": headers,
        }
        # the session retries failures before the body; only a body that was cut off is requested once more here
        for attempt in Retrying(
            retry=retry_if_exception_type(_BodyCutOff), stop=stop_after_attempt(2), wait=wait_fixed(2 * self.limits.backoff), reraise=True
        ):
            with attempt, ExitStack() as stack:
                with deadline.paused():
                    stack.enter_context(self.rate_limiter.slot(host, source.id, source.fetch.rate))
                self.losses.limit(host, deadline, url)
                download = self._send_in_time(source, sent, folder, deadline)
        return download

    def _send_in_time(self, source: FetchedSource, sent: Mapping[str, Any], folder: Path, deadline: Deadline) -> Download:
        url = sent["url"]
        if not deadline.left:
            raise _too_slow(url, deadline, 0)
        deadline.asked = True
        began = time.monotonic()
        with Watch(min(self.limits.response_timeout, deadline.left)) as watch:
            try:
                return self._send(source, sent, folder, deadline, watch)
            except (FetchError, Overdue) as error:
                if getattr(error, "status", None) is not None:
                    raise
                took = time.monotonic() - began
                self.losses.add(urlsplit(url).netloc.lower(), deadline, took if deadline.left else deadline.spent)
                if watch.expired or isinstance(error, Overdue):
                    raise _too_slow(url, deadline, took) from None
                raise

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

    def _send(self, source: FetchedSource, sent: Mapping[str, Any], folder: Path, deadline: Deadline, watch: Watch) -> Download:
        import requests  # the network libraries are not needed for mirrors and local packs
        from urllib3.exceptions import HTTPError

        from pipelines.core.retry import retry_after
        from pipelines.extract.http.network import AddressNotAllowed, HeadTooLarge, ServerBusy

        url, auth = sent["url"], source.fetch.auth
        timeouts = (self.limits.connect_timeout, self.limits.read_timeout)
        try:
            with self._http().request(**sent, timeout=timeouts, stream=True) as response:
                if response.status_code == 304:
                    return Download(None, final_url=_without_query(response.url))
                if response.status_code != 200:
                    watch.until(min(self.limits.message_timeout, watch.left))
                    message = f"answered {response.status_code} {response.reason}{self._server_message(response, auth)}"
                    raise FetchError(f"{url}: {message}", response.status_code, retry_after(response.headers.get("Retry-After")))
                watch.until(deadline.left)
                return self._save(source, url, response, folder, watch)
        except (AddressNotAllowed, HeadTooLarge) as error:
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

    def _save(self, source: FetchedSource, url: str, response: Any, folder: Path, watch: Watch) -> Download:
        expect = source.fetch.expect
        media_type = one_line(response.headers.get("Content-Type", "").split(";")[0]).lower()[:_MAX_HEADER]
        if expect and expect.media_type and media_type != expect.media_type.lower():
            raise FetchError(f"{url}: expected media type {expect.media_type}, got {media_type or 'none'}")
        length = _length(url, response)
        encodings = [name for name in decoding.names_of(response.headers.get("Content-Encoding", "")) if name != "identity"]
        if len(encodings) > self.limits.max_encodings:
            raise FetchError(f"{url}: the response states {len(encodings)} content encodings; the limit is {self.limits.max_encodings}")
        if unsupported := [name for name in encodings if name not in decoding.ENCODINGS]:
            raise FetchError(
                f"{url}: the response is compressed with {unsupported[0]!r}, which is not supported, although none was asked for; "
                "look for another address of the same file, or drop the file into the inbox"
            )
        if length is not None and length > self.limits.max_bytes:
            raise FetchError(f"{url}: {length} bytes; the limit is {self.limits.max_bytes} bytes")
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            for block in decoding.decoded(self._received(url, response, watch), encodings):
                size += len(block)
                if size > self.limits.max_bytes:
                    raise FetchError(f"{url}: more than {self.limits.max_bytes} bytes")
                _assert_in_time(watch)
                self.rate_limiter.count_bytes(source.id, len(block))
                digest.update(block)
                file.write(block)
        _assert_in_time(watch)  # where the length is not stated, a connection that was shut looks like the end of the body
        if length is not None and not encodings and length != size:
            raise _BodyCutOff(f"{url}: the response is incomplete: {size} of {length} bytes")
        validators = {name: text for name in ("etag", "last-modified") if (text := response.headers.get(name, "")) and _is_plain(text)}
        next_link = response.links.get("next", {}).get("url")
        return Download(Path(file.name), digest.hexdigest(), size, _without_query(response.url), media_type, validators, next_link)

    def _received(self, url: str, response: Any, watch: Watch) -> Iterator[bytes]:
        """Yield the body as it is sent. Raises FetchError where it is too slow or too large, also where nothing comes out of what is unpacked."""
        size, began = 0, time.monotonic()
        while block := response.raw.read1(decoding.BLOCK, decode_content=False):
            _assert_in_time(watch)
            size, elapsed = size + len(block), time.monotonic() - began
            if size > self.limits.max_bytes:
                raise FetchError(f"{url}: more than {self.limits.max_bytes} bytes")
            if elapsed > self.limits.min_rate_after and size < self.limits.min_rate * elapsed:
                raise FetchError(f"{url}: too slow: {size} bytes in {elapsed:.0f} s")
            yield block

    def _server_message(self, response: Any, auth: Auth | None) -> str:
        """Return the server's own error message, if it sent plain text, without anything secret."""
        if "html" in response.headers.get("Content-Type", ""):
            return ""
        encodings = decoding.names_of(response.headers.get("Content-Encoding", ""))
        if len(encodings) > self.limits.max_encodings:
            return ""
        text = _beginning(response, encodings).decode("utf-8", "replace")
        secret = self.settings.secret(auth.bearer_env) if auth and auth.bearer_env else None
        if secret:
            text = text.replace(secret, "***")
        text = one_line(text)
        return f": {text[:_MAX_MESSAGE]}" if text else ""

    def _http(self) -> Any:
        with self._session_lock:
            if self._session is None:
                from pipelines.extract.http import network

                self._session = network.session(self.settings.allowed_hosts(), self.limits)
        return self._session


class _BodyCutOff(FetchError):
    """The body ended too early."""


def _too_slow(url: str, deadline: Deadline, seconds: float) -> FetchError:
    if deadline.left:
        return FetchError(f"{url}: too slow: not complete after {seconds:.0f} s")
    if deadline.of_all is None or deadline.of_all.left:
        return FetchError(f"{url}: too slow: the source has taken more than {deadline.seconds:g} s in all; {deadline.limit}")
    limit = f"the optional sources have taken more than {deadline.of_all.seconds:g} s in all; ZPO2_FETCH_OPTIONAL_DEADLINE is the limit"
    return FetchError(f"{url}: too slow: {limit}") if deadline.asked else NotAsked(f"{url}: not asked: {limit}")


def _assert_in_time(watch: Watch) -> None:
    if watch.expired:
        raise Overdue(f"not complete within {watch.seconds:g} s")


def _beginning(response: Any, encodings: list[str]) -> bytes:
    """Return the beginning of a body, or what of it came in time."""
    if set(encodings) - set(decoding.ENCODINGS):
        return b""
    from urllib3.exceptions import HTTPError

    sent = (response.raw.read1(4 * _MAX_MESSAGE, decode_content=False) for _ in range(4 * _MAX_MESSAGE))
    content = b""
    try:
        for block in decoding.decoded(iter(lambda: next(sent, b""), b""), encodings):
            content += block
            if len(content) >= 4 * _MAX_MESSAGE:
                break
    except (HTTPError, OSError):  # too slow, cut off, or not of this encoding
        pass
    return content[: 4 * _MAX_MESSAGE]


def _length(url: str, response: Any) -> int | None:
    """Return the length of the body that its headers state, None where they state none.

    Raises FetchError where the end of the body is uncertain: http.client reads some lengths as another number, and leaves a transfer encoding
    that it does not know in the body.
    """
    transfer = response.headers.get("Transfer-Encoding", "").strip().lower()
    if transfer not in ("", "chunked", "identity"):
        raise FetchError(f"{url}: Transfer-Encoding {one_line(transfer)[:100]!r} is not supported")
    text = response.headers.get("Content-Length", "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= _MAX_LENGTH_DIGITS):
        raise FetchError(f"{url}: Content-Length {one_line(text)[:100]!r} is no number of bytes")
    return int(text) if text else None


def _is_plain(text: str) -> bool:
    """Whether a header of the server may be kept and sent back."""
    return text.isascii() and text.isprintable() and len(text) <= _MAX_HEADER


def _is_own_host(source: FetchedSource, url: str) -> bool:
    return urlsplit(source.fetch.url).netloc.lower() == urlsplit(url).netloc.lower()


def secret_value(auth: Auth, secret: str) -> str:
    """Return the value of the header that carries a secret."""
    return f"Bearer {secret}" if auth.header == "Authorization" else secret


def _cause(error: BaseException) -> str:
    """Return the innermost reason: a timeout, a reset, a name that does not resolve."""
    from urllib3.exceptions import HTTPError

    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    # the first argument of urllib3's errors is an object whose text has a number of its own in each run
    text = error.args[-1] if isinstance(error, HTTPError) and error.args and isinstance(error.args[-1], str) else error
    return f"{type(error).__name__}: {text}"


def _without_query(url: str) -> str:
    """Return an address as it may be stored: a query may hold a key."""
    return urlsplit(url)._replace(query="", fragment="").geturl()

"""HTTP connections to allowed addresses only. Addresses are checked after the name is resolved, and again at every redirect. Fetches nothing.

An address in a pack is untrusted: it may name, or redirect to, a service inside the operator's network. The connection goes to the very
address that was checked, so it does not help an attacker if the name resolves differently the second time.
"""

from __future__ import annotations

import io
import ipaddress
import socket
from collections.abc import Callable, Collection
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util import Retry

from pipelines.core.errors import Zpo2Error
from pipelines.core.retry import retry_after
from pipelines.extract.http import deadline
from pipelines.extract.http.limits import Limits

RETRIED = (429, 500, 502, 503, 504)

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address

Resolve = Callable[[str, int], list[str]]


class AddressNotAllowed(Zpo2Error):
    """A host resolves to an address that requests may not go to."""


class HeadTooLarge(Zpo2Error):
    """The headers of a response have more characters than `Limits.max_head`."""


class ServerBusy(Zpo2Error):
    """A server asks to wait longer than `Limits.max_retry_after`, or longer than the request may take."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"answered {status}, Retry-After {seconds:.0f} s")
        self.status = status
        self.seconds = seconds


def session(allowed_hosts: Collection[str], limits: Limits, resolve: Resolve | None = None) -> Session:
    """Return a session that reaches public addresses, and the hosts in `allowed_hosts` whatever their address.

    It retries temporary failures (and respects Retry-After), follows a few redirects to http and https, drops a source's own headers when
    a redirect leads to another host, and takes neither proxies nor passwords from the environment. It reads the body of the last response
    only. Cookies last as long as the redirects of one request: no source gets those of another one. Inside of a `Watch` nothing takes
    longer than its time.
    """
    made = _Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.max_redirects = limits.redirects
    retry = _BoundedRetry(
        total=limits.retries, backoff_factor=limits.backoff, backoff_jitter=limits.backoff / 2, status_forcelist=RETRIED,
        allowed_methods={"GET", "POST"}, raise_on_status=False, redirect=0,
    )  # fmt: skip
    retry.max_retry_after = limits.max_retry_after
    hosts = {host.lower() for host in allowed_hosts}
    adapter = _CheckedAdapter(hosts, resolve or resolve_host, limits.max_head, max_retries=retry, pool_maxsize=limits.concurrent)
    for prefix in ("https://", "http://"):
        made.mount(prefix, adapter)
    return made


class _Session(Session):
    """Follows redirects. A source's own headers are sent to its host only."""

    SENT_TO_ANY_HOST = frozenset({"user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-type"})

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        assert prepared_request.url is not None
        assert response.request.url is not None
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in [n for n in prepared_request.headers if n.lower() not in self.SENT_TO_ANY_HOST]:
                del prepared_request.headers[name]


class _BoundedRetry(Retry):
    """Waits as long as a server asks, up to `max_retry_after` seconds. Raises ServerBusy where it asks for more, and Overdue where no time
    is left. The body of a response that is not the last one is not read."""

    max_retry_after = 60.0

    def new(self, **options: Any) -> _BoundedRetry:
        made = super().new(**options)
        made.max_retry_after = self.max_retry_after
        return made

    def increment(
        self, method: str | None = None, url: str | None = None, response: BaseHTTPResponse | None = None, *rest: Any, **more: Any
    ) -> _BoundedRetry:
        made = super().increment(method, url, response, *rest, **more)  # raises where this was the last attempt
        _assert_time_left()
        if response is not None:
            response.close()
        return made

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        return retry_after(response.headers.get("Retry-After"))  # an unreadable time is no reason to give up

    def sleep_for_retry(self, response: BaseHTTPResponse) -> bool:
        seconds = self.get_retry_after(response)
        watch = deadline.current()
        if seconds and (seconds > self.max_retry_after or (watch is not None and seconds >= watch.left)):
            raise ServerBusy(response.status, seconds)
        return super().sleep_for_retry(response)

    def _sleep_backoff(self) -> None:
        _assert_time_left(self.get_backoff_time())
        super()._sleep_backoff()


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError where it has none."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local, multicast or reserved, and no tunnel to IPv4."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.sixtofour is not None or ip.teredo is not None or ip.is_reserved or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast


def allowed_address(host: str, port: int, allowed_hosts: Collection[str], resolve: Resolve) -> str:
    """Return the address to connect to. Raises AddressNotAllowed unless all addresses of the host are allowed."""
    addresses = resolve(host, port)  # may take any time: name servers may be hostile, too
    if host.lower() not in allowed_hosts and f"{host.lower()}:{port}" not in allowed_hosts:
        for address in addresses:
            if not is_public(address):
                raise AddressNotAllowed(f"{host} is {address}, not a public address; to allow it, add the host to ZPO2_ALLOW_HOSTS")
    return addresses[0]


class _CheckedAdapter(HTTPAdapter):
    """Gives its pools connections that check the address before a socket is opened, and leaves the bodies of redirects alone."""

    def __init__(self, allowed: Collection[str], resolve: Resolve, max_head: int, **options: Any) -> None:
        self.check = lambda host, port: allowed_address(host, port, allowed, resolve)
        self.max_head = max_head
        super().__init__(**options)

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        response = super().send(request, *arguments, **options)
        if sum(len(name) + len(value) for name, value in response.headers.items()) > self.max_head:
            response.close()
            raise HeadTooLarge(f"headers of more than {self.max_head} characters")
        if response.is_redirect:
            # the session would read the whole body into memory, unpacked; its cookies are in the original response
            original = getattr(response.raw, "_original_response", None)
            response.raw.close()
            response.raw = HTTPResponse(io.BytesIO(), status=response.status_code, preload_content=False, original_response=original)
        return response

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        check = self.check

        class Plain(HTTPConnection):
            def request(self, *arguments: Any, **options: Any) -> None:
                _watch(self.sock)  # kept open since an earlier request
                super().request(*arguments, **options)

            def _new_conn(self) -> socket.socket:
                return _connect(self, super()._new_conn, check)

        class Secure(HTTPSConnection):
            def request(self, *arguments: Any, **options: Any) -> None:
                _watch(self.sock)
                super().request(*arguments, **options)

            def _new_conn(self) -> socket.socket:
                return _connect(self, super()._new_conn, check)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connect(connection: Any, connect: Callable[[], socket.socket], check: Callable[[str, int], str]) -> socket.socket:
    """Open the socket to the checked address; the certificate and the Host header still use the name. The connection has a timeout."""
    _assert_time_left()
    name, watch = connection._dns_host, deadline.current()
    try:
        if watch is not None:
            connection.timeout = min(watch.left, connection.timeout)
        connection._dns_host = deadline.within(connection.timeout, lambda: check(connection.host, connection.port))
        made = connect()
        _watch(made)
        return made
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from None
    finally:
        connection._dns_host = name


def _watch(connection: socket.socket | None) -> None:
    """Let the watch of the current thread shut this connection, if there are both."""
    watch = deadline.current()
    if watch is not None and connection is not None:
        watch.add(connection)


def _assert_time_left(seconds: float = 0) -> None:
    """Raise Overdue where the watch of the current thread ends within `seconds`."""
    watch = deadline.current()
    if watch is not None and watch.left <= seconds:
        raise deadline.Overdue(f"not complete within {watch.seconds:g} s")

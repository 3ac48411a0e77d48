"""HTTP connections to addresses that may be reached: checked after the name is resolved, at every redirect anew. Fetches nothing.

An address of a pack is hostile until checked: it may name, or redirect to, a service inside the operator's network. A connection goes to
the very address that was checked, so a name that resolves differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from pipelines.core.retry import retry_after
from pipelines.extract.http.limits import Limits

RETRIED = (429, 500, 502, 503, 504)

Resolve = Callable[[str, int], list[str]]


class AddressRefusedError(Exception):
    """A host resolves to an address that may not be reached."""


class BusyError(Exception):
    """A server asks to be left alone for longer than we wait."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"answered {status}, Retry-After {seconds:.0f} s")
        self.status = status
        self.seconds = seconds


def session(allowed_hosts: Collection[str], limits: Limits, resolve: Resolve | None = None) -> Session:
    """Return a session that reaches public addresses, and the hosts in `allowed_hosts` whatever their address.

    It retries what a server says is passing (Retry-After is kept), follows a few redirects to http and https, forgets every header of a
    source on the way to another host, and takes neither proxies nor passwords from the environment.
    """
    made = _Session()
    made.trust_env = False
    made.max_redirects = limits.redirects
    retry = _Patient(
        total=limits.retries, backoff_factor=limits.backoff, backoff_jitter=limits.backoff / 2, status_forcelist=RETRIED,
        allowed_methods={"GET", "POST"}, raise_on_status=False, redirect=0,
    )  # fmt: skip
    retry.patience = limits.patience
    hosts = {host.lower() for host in allowed_hosts}
    adapter = _CheckedAdapter(hosts, resolve or resolved, max_retries=retry, pool_maxsize=limits.concurrent)
    for prefix in ("https://", "http://"):
        made.mount(prefix, adapter)
    return made


class _Session(Session):
    """Follows redirects; what a source's request carries stays with its host."""

    KEPT = frozenset({"user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-type"})

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        assert prepared_request.url is not None
        assert response.request.url is not None
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in [n for n in prepared_request.headers if n.lower() not in self.KEPT]:
                del prepared_request.headers[name]


class _Patient(Retry):
    """Waits as long as a server asks, up to `patience` seconds; what asks for more is busy."""

    patience = 60.0

    def new(self, **options: Any) -> _Patient:
        made = super().new(**options)
        made.patience = self.patience
        return made

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        return retry_after(response.headers.get("Retry-After"))  # a time that is none is no reason to give up

    def sleep_for_retry(self, response: BaseHTTPResponse) -> bool:
        seconds = self.get_retry_after(response)
        if seconds and seconds > self.patience:
            raise BusyError(response.status, seconds)
        return super().sleep_for_retry(response)


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError where it has none."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet: not private, loopback, link-local, multicast, reserved, or a way into IPv4."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast


def checked(host: str, port: int, allowed_hosts: Collection[str], resolve: Resolve) -> str:
    """Return the address to connect to. Raises AddressRefusedError unless every address of the host may be reached."""
    addresses = resolve(host, port)
    if host.lower() not in allowed_hosts and f"{host.lower()}:{port}" not in allowed_hosts:
        for address in addresses:
            if not is_public(address):
                raise AddressRefusedError(f"{host} is {address}, no public address; ZPO2_ALLOW_HOSTS may name the host")
    return addresses[0]


class _CheckedAdapter(HTTPAdapter):
    """Gives its pools connections that are checked before a socket is opened."""

    def __init__(self, allowed: Collection[str], resolve: Resolve, **options: Any) -> None:
        self.check = lambda host, port: checked(host, port, allowed, resolve)
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        check = self.check

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, super()._new_conn, check)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, super()._new_conn, check)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connected(connection: Any, connect: Callable[[], socket.socket], check: Callable[[str, int], str]) -> socket.socket:
    """Open the socket to the checked address; the name stays for the certificate and the Host header."""
    name = connection._dns_host
    try:
        connection._dns_host = check(connection.host, connection.port)
        return connect()
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from None
    finally:
        connection._dns_host = name

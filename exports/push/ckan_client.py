"""CKAN's action API over HTTP: one question, one answer. The key goes to the portal's own address and nowhere else, and into no text.

Knows no datasets. What an answer means for a push is the business of `ckan`; when to try again, of `patience`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import Any, NoReturn
from urllib.parse import urlsplit

from exports.push.multipart import Form
from exports.push.push_plan import PushError, RefusedError
from exports.push.retry_policy import PassingError

API = "/api/3/action/"
CONNECT, SILENCE = 15, 300  # seconds; a portal may take its time over an uploaded file
PASSING = (429, 500, 502, 503, 504)
WORDS = 400  # characters of a portal's own words that are worth repeating


class NotThereError(Exception):
    """The portal has no such thing, or does not show it."""


class InvalidError(PushError):
    """The portal does not take the values; `fields` are its reasons by field."""

    def __init__(self, text: str, fields: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.fields = fields


class Portal:
    """A CKAN at `url`, which is a `portal_address`. `variable` is the name of what holds the key, for messages. Not for several threads."""

    def __init__(self, url: str, key: str, variable: str) -> None:
        self.root = url.rstrip("/")
        self.key, self.variable = key, variable
        self._session: Any = None

    def ask(self, action: str, **params: str) -> Any:
        """Return the result of an action that changes nothing. Raises NotThereError, PassingError, PushError."""
        return self._exchange("GET", action, params=params)

    def do(self, action: str, body: Mapping[str, Any], form: Form | None = None) -> Any:
        """Return the result of an action that writes, once: whether it may be repeated is for the caller to know."""
        if form is not None:
            return self._exchange("POST", action, data=form, headers={"Content-Type": form.content_type})
        return self._exchange("POST", action, json=body)

    def _exchange(self, method: str, action: str, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
        import requests

        address = self.root + API + action
        try:
            response = self._http().request(
                method, address, headers={"Authorization": self.key, **(headers or {})}, timeout=(CONNECT, SILENCE),
                allow_redirects=False, **request,
            )  # fmt: skip
        except requests.exceptions.SSLError:
            raise PushError(f"{self.root}: its certificate is not trusted; nothing was sent") from None
        except requests.exceptions.Timeout:
            raise PassingError(f"{self.root}: {action} was not answered in time") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise PassingError(f"{self.root}: {action}: {self._cause(error)}") from None
        except requests.RequestException as error:
            raise PushError(f"{self.root}: {action}: {type(error).__name__}") from None
        return self._result(action, response)

    def _http(self) -> Any:
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.trust_env = False  # neither proxies nor passwords of the environment
            self._session.headers["User-Agent"] = f"zpo2-warehouse/{version('zpo2-warehouse')} (push)"
        return self._session

    def _result(self, action: str, response: Any) -> Any:
        status = response.status_code
        if 300 <= status < 400:
            raise PushError(
                f"{self.root} leads to {self._safe(response.headers.get('Location', 'another address'))}: give the address of the "
                "portal itself as --url; the key is sent nowhere else"
            )
        if status in PASSING:
            raise PassingError(f"{self.root}: {action} answered {status}", _seconds(response.headers.get("Retry-After")))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "success" not in answer:
            if status == 413:
                raise PushError(f"{self.root}: the file is larger than the server takes (413); push links instead, or raise its limit")
            raise PushError(
                f"{self.root}: {action} answered {status}, not in the way of CKAN's API; is --url the address of a CKAN of version 2.9 or later?"
            )
        if answer["success"] and status == 200:
            return answer["result"]
        self._fail(action, status, answer.get("error"))

    def _fail(self, action: str, status: int, error: Any) -> NoReturn:
        fields = error if isinstance(error, dict) else {"message": str(error)}
        kind = str(fields.get("__type", ""))
        said = self._safe("; ".join(_told(name, value) for name, value in fields.items() if name != "__type"))
        if status == 404 or kind == "Not Found Error":
            raise NotThereError(said)
        if status == 403 or kind == "Authorization Error":
            raise PushError(
                f"{self.root} refuses {action}: {said}; see whether the key in {self.variable} is right and its user may edit datasets of "
                "the organisation (--owner-org)"
            )
        if status == 409 or kind == "Validation Error":
            raise InvalidError(f"{self.root} does not take {action}: {said}{_advice(fields)}", fields)
        raise PushError(f"{self.root}: {action} answered {status}: {said}")

    def _safe(self, text: str) -> str:
        """Return a portal's words without the key and without commands to a terminal, and not too many."""
        clean = "".join(c if c.isprintable() else " " for c in text.replace(self.key, "***"))
        return clean if len(clean) <= WORDS else clean[:WORDS] + " ..."

    def _cause(self, error: Exception) -> str:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        return "was not reached" if "NewConnection" in type(reason).__name__ or "NameResolution" in type(reason).__name__ else "broke off"


def portal_address(url: str, plain_hosts: Collection[str] = ()) -> str:
    """Return the address of a portal without a slash at its end. Raises RefusedError where none is meant, or the key would travel in the
    clear: over http only to this machine and to `plain_hosts` (`host` or `host:port`).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RefusedError(f"--url {url}: is no address") from None
    if parts.username or parts.password:
        raise RefusedError("--url: no user or password belongs into the address")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise RefusedError(f"--url {url}: the address of a portal is due, such as https://data.example.org")
    if parts.scheme == "http" and not {host, f"{host}:{port or 80}"} & {"localhost", "127.0.0.1", "::1", *plain_hosts}:
        raise RefusedError(f"--url {url}: the key would travel in the clear; https is due, or ZPO2_ALLOW_HOSTS that names {host}")
    return url.rstrip("/")


def _seconds(header: str | None) -> float | None:
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().parse_retry_after(header) if header else None
    except InvalidHeader:
        return None


def _told(name: str, value: Any) -> str:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return words if name == "message" else f"{name}: {words}"


def _advice(fields: Mapping[str, Any]) -> str:
    if "owner_org" in fields:
        return "; name an organisation in which the key's user may edit, with --owner-org"
    if "upload" in str(fields).lower():
        return "; push links instead of uploads, or raise ckan.max_resource_size there"
    if "name" in fields:
        return "; another --prefix gives other names"
    return ""

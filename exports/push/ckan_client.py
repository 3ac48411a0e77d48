"""A client for CKAN's action API: one request, one response. The API key is sent only to the portal itself and appears in no message.

Knows nothing about datasets. `ckan` decides what a response means for a push, and `retry_policy` when a request is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from exports.push.errors import NotFoundError, PushError, RejectedError, TemporaryError
from pipelines.core.errors import UsageError
from pipelines.core.retry import retry_after

API = "/api/3/action/"
CONNECT_TIMEOUT, READ_TIMEOUT = 15, 300  # seconds; a portal may need a while to process an uploaded file
TEMPORARY = (429, 500, 502, 503, 504)
MAX_MESSAGE = 400  # characters of a portal's message that are shown


@dataclass(frozen=True)
class Upload:
    """A file that is sent with a request, as the form field `field`."""

    field: str
    file: Path
    media_type: str


class Portal:
    """A CKAN at `url`, a checked `portal_address`. `variable` is the variable that holds the key, for messages. Not thread-safe."""

    def __init__(self, url: str, key: str, variable: str) -> None:
        self.root = url.rstrip("/")
        self.key, self.variable = key, variable
        self._session: Any = None

    def get(self, action: str, **params: str) -> Any:
        """Return the result of an action that only reads. Raises NotFoundError, TemporaryError, PushError."""
        return self._request("GET", action, params=params)

    def post(self, action: str, body: Mapping[str, Any], upload: Upload | None = None) -> Any:
        """Return the result of an action that writes. It is tried once; only the caller knows whether it may be repeated."""
        if upload is None:
            return self._request("POST", action, json=body)
        from requests_toolbelt import MultipartEncoder

        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
        with upload.file.open("rb") as file:  # read while it is sent: a file does not have to fit into memory
            form = MultipartEncoder({**fields, upload.field: (upload.file.name, file, upload.media_type)})
            return self._request("POST", action, data=form, headers={"Content-Type": form.content_type})

    def _request(self, method: str, action: str, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
        import requests

        address = self.root + API + action
        try:
            response = self._http().request(
                method, address, headers={"Authorization": self.key, **(headers or {})}, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False, **request,
            )  # fmt: skip
        except requests.exceptions.SSLError:
            raise PushError(f"{self.root}: its certificate is not trusted; nothing was sent") from None
        except requests.exceptions.Timeout:
            raise TemporaryError(f"{self.root}: {action} timed out") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise TemporaryError(f"{self.root}: {action}: {self._cause(error)}") from None
        except requests.RequestException as error:
            raise PushError(f"{self.root}: {action}: {type(error).__name__}") from None
        return self._result(action, response)

    def _http(self) -> Any:
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.trust_env = False  # use neither proxies nor passwords from the environment
            self._session.headers["User-Agent"] = f"zpo2-warehouse/{version('zpo2-warehouse')} (push)"
        return self._session

    def _result(self, action: str, response: Any) -> Any:
        status = response.status_code
        if 300 <= status < 400:
            raise PushError(
                f"{self.root} redirects to {self._safe(response.headers.get('Location', 'another address'))}: give the address of the "
                "portal itself as --url; the key is not sent anywhere else"
            )
        if status in TEMPORARY:
            raise TemporaryError(f"{self.root}: {action} answered {status}", retry_after(response.headers.get("Retry-After")))
        try:
            content = response.json()
        except ValueError:
            content = None
        if not isinstance(content, dict) or "success" not in content:
            if status == 413:
                raise PushError(f"{self.root}: the file is larger than the server accepts (413); push links instead, or raise its limit")
            raise PushError(
                f"{self.root}: {action} answered {status}, but not like CKAN's API; is --url the address of a CKAN of version 2.9 or later?"
            )
        if content["success"] and status == 200:
            return content["result"]
        self._fail(action, status, content.get("error"))

    def _fail(self, action: str, status: int, error: Any) -> NoReturn:
        fields = error if isinstance(error, dict) else {"message": str(error)}
        kind = str(fields.get("__type", ""))
        message = self._safe("; ".join(_field_message(name, value) for name, value in fields.items() if name != "__type"))
        if status == 404 or kind == "Not Found Error":
            raise NotFoundError(message)
        if status == 403 or kind == "Authorization Error":
            raise PushError(
                f"{self.root} refuses {action}: {message}; check that the key in {self.variable} is right and that its user may edit "
                "datasets of the organisation (--owner-org)"
            )
        if status == 409 or kind == "Validation Error":
            raise RejectedError(f"{self.root} does not accept {action}: {message}{_advice(fields)}", fields)
        raise PushError(f"{self.root}: {action} answered {status}: {message}")

    def _safe(self, text: str) -> str:
        """Return a portal's message without the key, without terminal control characters, and shortened."""
        clean = "".join(c if c.isprintable() else " " for c in text.replace(self.key, "***"))
        return clean if len(clean) <= MAX_MESSAGE else clean[:MAX_MESSAGE] + " ..."

    def _cause(self, error: Exception) -> str:
        reason = type(getattr(error.args[0], "reason", None) if error.args else None).__name__
        return "could not be reached" if "NewConnection" in reason or "NameResolution" in reason else "the connection was lost"


def portal_address(url: str, plain_hosts: Collection[str] = ()) -> str:
    """Return the address of a portal without a slash at its end.

    Plain http is allowed only to this machine and to `plain_hosts` (`host` or `host:port`), since it would reveal the key. Raises
    UsageError.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"--url {url}: is not a valid address") from None
    if parts.username or parts.password:
        raise UsageError("--url: the address must not contain a user or password")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise UsageError(f"--url {url}: expected the address of a portal, such as https://data.example.org")
    if parts.scheme == "http" and not {host, f"{host}:{port or 80}"} & {"localhost", "127.0.0.1", "::1", *plain_hosts}:
        raise UsageError(f"--url {url}: http would send the key unencrypted; use https, or allow {host} in ZPO2_ALLOW_HOSTS")
    return url.rstrip("/")


def _field_message(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if name == "message" else f"{name}: {text}"


def _advice(fields: Mapping[str, Any]) -> str:
    if "owner_org" in fields:
        return "; give an organisation in which the key's user may edit as --owner-org"
    if "upload" in str(fields).lower():
        return "; push links instead of uploads, or raise ckan.max_resource_size on the portal"
    if "name" in fields:
        return "; the name may be that of a deleted dataset, or of one that this key may not see: choose different names with --prefix"
    return ""

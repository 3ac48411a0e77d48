"""Parse CloudEvents 1.0 as they come over HTTP: structured, in batches, binary. Strict: what the standard forbids is refused, not mended.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, its JSON format, JSON batch format and HTTP binding.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LONGEST = 1024  # characters of an attribute
_NAME = re.compile(r"[a-z0-9]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_JSON = re.compile(r"(application|text)/([A-Za-z0-9.-]+\+)?json(\s*;.*)?", re.IGNORECASE)
_TEXTS = {"id", "source", "type", "subject", "datacontenttype", "dataschema"}


class MalformedError(ValueError):
    """What came is no CloudEvent; the message says why."""


@dataclass(frozen=True)
class CloudEvent:
    """One event. `time` is UTC with microseconds, or '' where it states none; `data` is JSON text, None where it carries none."""

    source: str
    id: str
    type: str
    time: str = ""
    subject: str = ""
    data: str | None = None


def parse(headers: Mapping[str, str], body: bytes) -> list[CloudEvent | MalformedError]:
    """Return the events of a request, a refused one of a batch as the reason why. `headers` have names in lower case.

    Raises MalformedError where the request as a whole cannot be read.
    """
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == BATCH:
        items = _decoded(body)
        if not isinstance(items, list):
            raise MalformedError("a batch is a JSON array")
        return [_of(item) for item in items]
    if kind.startswith("application/cloudevents"):
        if kind != STRUCTURED:
            raise MalformedError(f"{kind} is not taken; {STRUCTURED} and {BATCH} are")
        return [_structured(_decoded(body))]
    if "ce-specversion" not in headers:
        raise MalformedError(f"neither {STRUCTURED} nor {BATCH}, and no header ce-specversion")
    return [_binary(headers, body)]


def _of(item: Any) -> CloudEvent | MalformedError:
    try:
        return _structured(item)
    except MalformedError as error:
        return error


def _structured(item: Any) -> CloudEvent:
    if not isinstance(item, dict):
        raise MalformedError("an event is a JSON object")
    attributes = {name: value for name, value in item.items() if name not in ("data", "data_base64")}
    if "data" in item and "data_base64" in item:
        raise MalformedError("data and data_base64 exclude each other")
    data = item.get("data")
    if "data_base64" in item:
        try:
            data = _decoded(base64.b64decode(item["data_base64"], validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise MalformedError(f"data_base64: {error}") from None
    return _event(attributes, data)


def _binary(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    attributes: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            try:
                attributes[name[3:]] = unquote_to_bytes(value).decode("utf-8")
            except UnicodeDecodeError:
                raise MalformedError(f"{name}: not UTF-8") from None
    if headers.get("content-type"):
        attributes["datacontenttype"] = headers["content-type"]
    return _event(attributes, _decoded(body) if body else None)


def _event(attributes: Mapping[str, Any], data: Any) -> CloudEvent:
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            raise MalformedError(f"{name[:60]!r}: names of attributes are letters a-z and digits")
        if value is None:
            continue
        if not isinstance(value, str | bool | int):
            raise MalformedError(f"{name}: an attribute is a text, a truth value or a whole number")
        if name in _TEXTS and (not isinstance(value, str) or not value):
            raise MalformedError(f"{name}: a text is due")
        if isinstance(value, str) and (len(value) > LONGEST or not all(c.isprintable() for c in value)):
            raise MalformedError(f"{name}: at most {LONGEST} characters, without control characters")
    for name in ("specversion", "id", "source", "type"):
        if attributes.get(name) is None:
            raise MalformedError(f"{name}: missing")
    if attributes["specversion"] != "1.0":
        raise MalformedError("specversion: 1.0 is due")
    if " " in attributes["source"]:
        raise MalformedError("source: an address or a relative one is due")
    content = attributes.get("datacontenttype")
    if data is not None and content is not None and not _JSON.fullmatch(content):
        raise MalformedError(f"datacontenttype: {content}; only JSON is taken")
    return CloudEvent(
        source=attributes["source"],
        id=attributes["id"],
        type=attributes["type"],
        time=_utc(attributes.get("time")),
        subject=attributes.get("subject") or "",
        data=None if data is None else _written(data),
    )


def _utc(value: Any) -> str:
    if value is None:
        return ""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        assert match is not None
        zone = "+00:00" if match[4] in "zZ" else match[4]
        found = datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '')[:7]}{zone}")
        return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (AssertionError, ValueError, OverflowError):
        raise MalformedError("time: a time as in RFC 3339 is due, such as 2024-05-01T12:00:00Z") from None


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite)
    except MalformedError:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"no JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a key stands twice in an object")
    return found


def _constant(text: str) -> Any:
    raise MalformedError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedError(f"{text[:40]}: too large a number")
    return value


def _written(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError("data: half of a surrogate pair") from None
    return text

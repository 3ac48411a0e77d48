"""Parse CloudEvents 1.0 in HTTP requests: structured, batched or binary. Strict: what the standard forbids is rejected, not repaired.

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
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from pipelines.core.clock import precise_timestamp
from pipelines.core.errors import Zpo2Error

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MAX_ATTRIBUTE = 1024  # characters
MAX_DIGITS = 1000  # of a whole number, with its sign
_NAME = re.compile(r"[a-z0-9]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_JSON = re.compile(r"(application|text)/([A-Za-z0-9.-]+\+)?json(\s*;.*)?", re.IGNORECASE)
_TEXT_ATTRIBUTES = {"id", "source", "type", "subject", "datacontenttype", "dataschema"}


class InvalidCloudEvent(Zpo2Error, ValueError):
    """The content of a request is not a valid CloudEvent; the message says why."""


@dataclass(frozen=True)
class CloudEvent:
    """One event. `time` is UTC with microseconds, or '' where the event has none; `data` is JSON text, None where the event has none."""

    source: str
    id: str
    type: str
    time: str = ""
    subject: str = ""
    data: str | None = None


def parse(headers: Mapping[str, str], body: bytes) -> list[CloudEvent | InvalidCloudEvent]:
    """Return the events of a request; an invalid event of a batch as its error. The names of `headers` are in lower case.

    Raises InvalidCloudEvent where the request as a whole cannot be read.
    """
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == BATCH:
        items = _decoded(body)
        if not isinstance(items, list):
            raise InvalidCloudEvent("expected a JSON array of events")
        return [_parse_item(item) for item in items]
    if media_type.startswith("application/cloudevents"):
        if media_type != STRUCTURED:
            raise InvalidCloudEvent(f"media type {media_type} is not supported; expected {STRUCTURED} or {BATCH}")
        return [_structured(_decoded(body))]
    if "ce-specversion" not in headers:
        raise InvalidCloudEvent(f"expected media type {STRUCTURED} or {BATCH}, or a header ce-specversion")
    return [_binary(headers, body)]


def _parse_item(item: Any) -> CloudEvent | InvalidCloudEvent:
    try:
        return _structured(item)
    except InvalidCloudEvent as error:
        return error


def _structured(item: Any) -> CloudEvent:
    if not isinstance(item, dict):
        raise InvalidCloudEvent("expected a JSON object for each event")
    attributes = {name: value for name, value in item.items() if name not in ("data", "data_base64")}
    if "data" in item and "data_base64" in item:
        raise InvalidCloudEvent("expected either data or data_base64, got both")
    data = item.get("data")
    if "data_base64" in item:
        try:
            data = _decoded(base64.b64decode(item["data_base64"], validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise InvalidCloudEvent(f"data_base64: {error}") from None
    return _event(attributes, data)


def _binary(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    attributes: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            try:
                attributes[name[3:]] = unquote_to_bytes(value).decode("utf-8")
            except UnicodeDecodeError:
                raise InvalidCloudEvent(f"{name}: not UTF-8") from None
    if headers.get("content-type"):
        attributes["datacontenttype"] = headers["content-type"]
    return _event(attributes, _decoded(body) if body else None)


def _event(attributes: Mapping[str, Any], data: Any) -> CloudEvent:
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            raise InvalidCloudEvent(f"{name[:60]!r}: an attribute name may contain only the letters a-z and digits")
        if value is None:
            continue
        if not isinstance(value, str | bool | int):
            raise InvalidCloudEvent(f"{name}: expected a string, a boolean or an integer")
        if name in _TEXT_ATTRIBUTES and (not isinstance(value, str) or not value):
            raise InvalidCloudEvent(f"{name}: expected a non-empty string")
        if isinstance(value, str) and (len(value) > MAX_ATTRIBUTE or not all(c.isprintable() for c in value)):
            raise InvalidCloudEvent(f"{name}: expected at most {MAX_ATTRIBUTE} characters and no control characters")
    for name in ("specversion", "id", "source", "type"):
        if attributes.get(name) is None:
            raise InvalidCloudEvent(f"{name}: missing")
    if attributes["specversion"] != "1.0":
        raise InvalidCloudEvent("specversion: expected 1.0")
    if " " in attributes["source"]:
        raise InvalidCloudEvent("source: expected a URI reference")
    content = attributes.get("datacontenttype")
    if data is not None and content is not None and not _JSON.fullmatch(content):
        raise InvalidCloudEvent(f"datacontenttype: expected a JSON media type, got {content}")
    return CloudEvent(
        source=attributes["source"],
        id=attributes["id"],
        type=attributes["type"],
        time=_utc(attributes.get("time")),
        subject=attributes.get("subject") or "",
        data=None if data is None else _json_text(data),
    )


def _utc(value: Any) -> str:
    if value is None:
        return ""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        assert match is not None
        zone = "+00:00" if match[4] in "zZ" else match[4]
        return precise_timestamp(datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '')[:7]}{zone}"))
    except (AssertionError, ValueError, OverflowError):
        raise InvalidCloudEvent("time: expected a time as in RFC 3339, such as 2024-05-01T12:00:00Z") from None


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite, parse_int=_whole)
    except InvalidCloudEvent:
        raise
    except RecursionError:
        raise InvalidCloudEvent("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise InvalidCloudEvent(f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise InvalidCloudEvent("a key appears twice in a JSON object")
    return value


def _constant(text: str) -> Any:
    raise InvalidCloudEvent(f"{text} is not a JSON number")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise InvalidCloudEvent(f"{text[:40]}...: a whole number has at most {MAX_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidCloudEvent(f"{text[:40]}: the number is too large")
    return value


def _json_text(data: Any) -> str:
    try:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidCloudEvent("data: an unpaired surrogate") from None
    except RecursionError:
        raise InvalidCloudEvent("data: nested too deeply") from None
    return text

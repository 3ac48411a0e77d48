"""CloudEvents over HTTP: what the standard allows is accepted, what it forbids is rejected with a reason."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as SdkEvent

from pipelines.extract.cloudevents.parsing import BATCH, STRUCTURED, CloudEvent, InvalidCloudEvent, parse

GOOD: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "urn:town", "type": "org.example.fair", "data": {"a": 1}}


def structured(**changes: Any) -> CloudEvent:
    value = {k: v for k, v in {**GOOD, **changes}.items() if v is not ...}
    (event,) = parse({"content-type": STRUCTURED}, json.dumps(value).encode())
    assert isinstance(event, CloudEvent)
    return event


class TestParse:
    def test_keeps_attributes_and_data(self) -> None:
        event = structured(time="2024-05-01T12:00:00.5+02:00", subject="fair/1", extension=True)
        assert event == CloudEvent("urn:town", "1", "org.example.fair", "2024-05-01T10:00:00.500000Z", "fair/1", '{"a":1}')

    @pytest.mark.parametrize("write", [to_structured, to_binary])
    def test_accepts_events_of_the_reference_implementation(self, write: Any) -> None:
        attributes = {
            "id": "ž 1", "source": "https://example.org/fairs", "type": "org.example.fair", "subject": "50 %", "datacontenttype": "application/json",
            "time": datetime(2024, 5, 1, tzinfo=UTC),
        }  # fmt: skip
        message = write(SdkEvent(attributes, {"title": "Jarmark"}), JSONFormat())
        (event,) = parse({k.lower(): v for k, v in message.headers.items()}, message.body)
        time = "2024-05-01T00:00:00.000000Z"
        assert event == CloudEvent("https://example.org/fairs", "ž 1", "org.example.fair", time, "50 %", '{"title":"Jarmark"}')

    def test_accepts_json_in_base64(self) -> None:
        assert structured(data=..., data_base64=base64.b64encode(b'{"a": 2}').decode()).data == '{"a":2}'

    def test_accepts_the_valid_events_of_a_batch(self) -> None:
        events = parse({"content-type": BATCH}, json.dumps([GOOD, {**GOOD, "id": ""}, 7, {**GOOD, "id": "2"}]).encode())
        assert [type(item) for item in events] == [CloudEvent, InvalidCloudEvent, InvalidCloudEvent, CloudEvent]
        assert str(events[1]) == "id: expected a non-empty string"

    def test_accepts_a_binary_event_without_data(self) -> None:
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "urn:x", "ce-type": "t"}
        (event,) = parse(headers, b"")
        assert isinstance(event, CloudEvent)
        assert event.data is None

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"specversion": "0.3"}, "specversion: expected 1.0"),
            ({"specversion": ...}, "specversion: missing"),
            ({"id": ...}, "id: missing"),
            ({"id": 7}, "id: expected a non-empty string"),
            ({"source": ...}, "source: missing"),
            ({"source": "two words"}, "source: expected a URI reference"),
            ({"type": ""}, "type: expected a non-empty string"),
            ({"type": "a\u202eb"}, "no control characters"),
            ({"id": "x" * 1025}, "at most 1024 characters"),
            ({"time": "yesterday"}, "time: expected a time as in RFC 3339"),
            ({"time": "2024-02-30T00:00:00Z"}, "time: expected a time as in RFC 3339"),
            ({"time": "0001-01-01T00:00:00+14:00"}, "time: expected a time as in RFC 3339"),
            ({"subject": ""}, "subject: expected a non-empty string"),
            ({"Upper": "x"}, "an attribute name may contain only"),
            ({"nested": {"a": 1}}, "expected a string, a boolean or an integer"),
            ({"datacontenttype": "text/xml"}, "expected a JSON media type"),
            ({"data_base64": "e30="}, "expected either data or data_base64"),
            ({"data": ..., "data_base64": "%%"}, "data_base64"),
            ({"data": {"a": "\ud800"}}, "unpaired surrogate"),
        ],
    )
    def test_rejects_what_the_standard_forbids(self, changes: dict[str, Any], reason: str) -> None:
        with pytest.raises(InvalidCloudEvent, match=reason):
            structured(**changes)

    @pytest.mark.parametrize(
        ("kind", "body", "reason"),
        [
            (STRUCTURED, b"{", "not JSON"),
            (STRUCTURED, b"\xff", "not JSON"),
            (STRUCTURED, b"[]", "expected a JSON object"),
            (STRUCTURED, b'{"id": "1", "id": "2"}', "a key appears twice"),
            (STRUCTURED, b'{"data": NaN}', "NaN is not a JSON number"),
            (STRUCTURED, b'{"data": 1e999}', "the number is too large"),
            (STRUCTURED, b'{"data": -' + b"9" * 5000 + b"}", "999...: a whole number has at most 1000 digits"),
            (STRUCTURED, b"[" * 100_000, "not JSON"),
            (BATCH, b"{}", "expected a JSON array"),
            ("application/cloudevents+avro", b"", "is not supported"),
            ("application/json", b"{}", "or a header ce-specversion"),
        ],
    )
    def test_rejects_unreadable_requests(self, kind: str, body: bytes, reason: str) -> None:
        with pytest.raises(InvalidCloudEvent, match=reason):
            parse({"content-type": kind}, body)

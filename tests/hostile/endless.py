"""Servers that never end, that send too much, or that send what breaks a program: how each answers, and why it is refused.

Each is tried as a source beside a good one, with a deadline of two seconds.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, repeat
from typing import Any

from tests.support.wire import FOR_EVER, Answer, Wire

GROUP = "Servers that never end, or send too much"
BODY = b"code,value\n1,2\n"
ESCAPES = b"\x1b[2J\x1b]0;owned\x07\xc2\x9b31m\xe2\x80\xae"  # clears a screen, names a window, colours, turns the direction of writing
CHUNKED = b"Transfer-Encoding: chunked"
GZIP = b"Content-Encoding: gzip"
SLOW = "too slow"
EUROSTAT = "/eurostat/api/dissemination/statistics/1.0/data/demo"


@dataclass(frozen=True)
class Attack:
    """How a server answers, and part of the reason why it is refused, or two with a bar between; None where the answer becomes a snapshot.

    `fetch` is the rest of the block `fetch` of its source; `path` follows the address of the attack. `records` is `read.records`.
    """

    id: str
    what: str
    answer: Answer
    error: str | None = SLOW
    fetch: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    records: str | None = None

    def declared(self, server: str) -> dict[str, Any]:
        """Return the block `fetch` of its source; a catalogue has the address `/<id>/list`."""
        block = {"url": f"{server}/{self.id}{self.path}", **self.fetch}
        return block | {"catalogue": {"url": f"{server}/{self.id}/list", **block["catalogue"]}} if "catalogue" in block else block

    @property
    def reasons(self) -> list[str]:
        """The parts of the reason of which one must be in the error."""
        return (self.error or "").split("|")

    def in_words(self) -> str:
        """Return the expected result as the documentation states it."""
        return "the response becomes a snapshot" if self.error is None else "rejected: " + " or ".join(f"“{r}”" for r in self.reasons)


def bomb(unpacked: int) -> Iterator[bytes]:
    """Yield a gzip stream of so many zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    for _ in range(unpacked >> 20):
        yield packer.compress(zeros)
    yield packer.flush()


def document(value: Any) -> Answer:
    """Return the answer with a JSON document; a function gets the request."""

    def answer(wire: Wire) -> None:
        content = value(wire) if callable(value) else value
        wire.whole(content if isinstance(content, bytes) else json.dumps(content).encode(), b"Content-Type: application/json")

    return answer


def paged(page: Callable[[int], Any]) -> Answer:
    """Return the answer with the page whose number is in the query."""
    return document(lambda wire: page(int(dict(p.partition("=")[::2] for p in wire.query.split("&")).get("page", 1))))


def sends(*blocks: bytes) -> Answer:
    return lambda wire: wire.send(*blocks)


def _redirect(wire: Wire, *headers: bytes) -> None:
    wire.send(b"HTTP/1.1 302 Found\r\n", b"Location: " + wire.path.encode() + b"\r\n", *(h + b"\r\n" for h in headers), b"\r\n")


def _endless_redirect(wire: Wire) -> None:
    _redirect(wire)
    wire.stream(FOR_EVER)


def _redirect_then_data(wire: Wire) -> None:
    if wire.path.endswith("/data"):
        return wire.whole(BODY)
    wire.send(b"HTTP/1.1 302 Found\r\nLocation: %s/data\r\n\r\n" % wire.path.encode())
    return wire.stream(FOR_EVER)


def _redirect_bomb(wire: Wire) -> None:
    _redirect(wire, GZIP)
    wire.stream(bomb(4 << 30))


def _slow_redirects(wire: Wire) -> None:
    wire.ended.wait(0.7)
    _redirect(wire, b"Content-Length: 0")


def _unavailable(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 503 Busy\r\n\r\n")
    wire.stream(repeat(b"x" * 1000), 0.2)


def _continue(wire: Wire) -> None:
    wire.stream(repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 50))


def _slow_continue(wire: Wire) -> None:
    wire.stream(repeat(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"), 0.05)


def _after_head(head: bytes, then: Callable[[Wire], None]) -> Answer:
    def answer(wire: Wire) -> None:
        wire.send(head)
        then(wire)

    return answer


def _dripping(content: bytes) -> Callable[[Wire], None]:
    return lambda wire: wire.drip(content)


def _flowing(*blocks: bytes) -> Callable[[Wire], None]:
    return lambda wire: wire.stream(chain.from_iterable(repeat(blocks)))


def _packed_slowly(wire: Wire) -> None:
    wire.ok(GZIP)
    wire.stream(bomb(8 << 30), 0.3)  # each MB is a kB


def _silent(wire: Wire) -> None:
    wire.keep_silent()


def _retry_for_ever(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")


def _hub(url: str) -> dict[str, Any]:
    return {"dataset": [{"identifier": "x", "distribution": [{"title": "t", "downloadURL": url}]}]}


def _resource(url: Any) -> dict[str, Any]:
    return {"success": True, "result": {"resources": [{"id": "a", "url": url}]}}


def _layer(description: Any) -> Answer:
    return document(lambda wire: {"count": 1} if wire.path.endswith("/query") else description)


def _status(status: str) -> Answer:
    envelope = f"<e:Envelope><queued><id>ab-1</id><status>{status}</status></queued></e:Envelope>".encode()
    return lambda wire: wire.whole(envelope, b"Content-Type: application/xml")


def _link_header(wire: Wire) -> None:
    wire.whole(b"[1]", b"Link: <http://[>; rel=next")


OK = b"HTTP/1.1 200 OK\r\n"
PAGES = {"paging": {"kind": "page", "param": "page", "records": "/items", "total": "/total"}}
LINKED = {"paging": {"kind": "link", "next": "/next", "records": "/items"}}
BY_HEADER = {"paging": {"kind": "link"}}
CKAN = {"protocol": "ckan", "resource": "a"}
HUB = {"protocol": "arcgis", "dataset": "x"}
LAYER = {"protocol": "arcgis"}

_NUMBERS = map(str, count())
ATTACKS = [
    Attack("redirect_endless", "a redirect to itself with a body that never ends", _endless_redirect, "TooManyRedirects"),
    Attack(
        "redirect_endless_to_data", "a redirect to the data with a body that never ends: the body is not read", _redirect_then_data, None
    ),
    Attack("redirect_bomb", "a redirect whose body in gzip unpacks to 4 GB", _redirect_bomb, "TooManyRedirects"),
    Attack("redirects_slow", "redirects that take 0.7 seconds each", _slow_redirects),
    Attack(
        "redirect_invalid_text",
        "a redirect whose target is no text",
        sends(b"HTTP/1.1 302 F\r\nLocation: http://\xff\xfe/\r\n\r\n"),
        "invalid address",
    ),
    Attack("unavailable_endless", "status 503 with a body that never ends", _unavailable, "503"),
    Attack(
        "not_found_slow",
        "status 404 with a body of a byte now and then",
        _after_head(b"HTTP/1.1 404 No\r\n\r\n", _dripping(b"y" * 10_000)),
        "answered 404",
    ),
    Attack(
        "not_found_endless",
        "status 404 with a body that never ends",
        _after_head(b"HTTP/1.1 404 No\r\n\r\n", _flowing(b"y" * 65536)),
        "answered 404",
    ),
    Attack(
        "not_found_bomb",
        "status 404 with a body that unpacks to 4 GB",
        _after_head(b"HTTP/1.1 404 No\r\n" + GZIP + b"\r\n\r\n", lambda wire: wire.stream(bomb(4 << 30))),
        "answered 404",
    ),
    Attack("retry_for_ever", "status 429 that asks to wait a second, again and again", _retry_for_ever, "429"),
    Attack(
        "retry_after_5000_digits",
        "a Retry-After of 5,000 digits",
        sends(b"HTTP/1.1 429 B\r\nRetry-After: " + b"9" * 5000 + b"\r\n\r\n"),
        "answered 429",
    ),
    Attack("continue_for_ever", "`100 Continue` for ever", _continue),
    Attack("continue_slowly", "`100 Continue` for ever, now and then", _slow_continue),
    Attack("early_hints", "`103 Early Hints` in place of an answer", sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000), "answered 103"),
    Attack("status_line_slow", "the status line, a byte now and then", lambda wire: wire.drip(b"HTTP/1.1 200 " + b"O" * 10_000)),
    Attack("status_line_endless", "a status line that never ends", _after_head(b"HTTP/1.1 200 ", _flowing(b"O" * 65536)), "LineTooLong"),
    Attack("header_slow", "a header, a byte now and then", _after_head(OK + b"X-Long: ", _dripping(b"x" * 10_000))),
    Attack("headers_endless", "headers without end", _after_head(OK, _flowing(b"X: y\r\n")), "more than 100 headers"),
    Attack("silent", "no answer at all", _silent),
    Attack("silent_after_head", "headers, and then nothing", _after_head(OK + b"Content-Length: 9\r\n\r\n", _silent)),
    Attack("body_slow", "the body, a byte now and then", _after_head(OK + b"\r\n", _dripping(b"x" * 10_000))),
    Attack(
        "body_endless", "a body that never ends", _after_head(OK + b"\r\n", _flowing(b"x" * 65536)), "more than 30000000 bytes|too slow"
    ),
    Attack(
        "chunk_size_slow", "the size of a chunk, a digit now and then", _after_head(OK + CHUNKED + b"\r\n\r\n", _dripping(b"0" * 10_000))
    ),
    Attack(
        "chunk_size_endless",
        "the size of a chunk without end",
        _after_head(OK + CHUNKED + b"\r\n\r\n", _flowing(b"0" * 65536)),
        "LineTooLong",
    ),
    Attack(
        "chunk_extension_slow",
        "an extension of a chunk, a byte now and then",
        _after_head(OK + CHUNKED + b"\r\n\r\n5;", _dripping(b"x" * 10_000)),
    ),
    Attack(
        "chunks_of_one_byte",
        "chunks of one byte, now and then",
        _after_head(OK + CHUNKED + b"\r\n\r\n", lambda wire: wire.stream(repeat(b"1\r\nx\r\n"), 0.05)),
    ),
    Attack(
        "chunk_size_negative",
        "a negative size of a chunk",
        _after_head(OK + CHUNKED + b"\r\n\r\n-5\r\n", _flowing(b"x" * 65536)),
        "more than 30000000 bytes|too slow",
    ),
    Attack(
        "trailer_slow",
        "a trailer after the last chunk, a byte now and then",
        _after_head(OK + CHUNKED + b"\r\n\r\n1\r\nx\r\n0\r\n", _dripping(b"X: " + b"y" * 10_000)),
    ),
    Attack("trailers_endless", "trailers without end", _after_head(OK + CHUNKED + b"\r\n\r\n1\r\nx\r\n0\r\n", _flowing(b"X: y\r\n"))),
    Attack("gzip_slow", "a body in gzip that unpacks slowly to much", _packed_slowly),
    Attack(
        "gzip_bomb",
        "a body in gzip that unpacks to 4 GB",
        _after_head(OK + GZIP + b"\r\n\r\n", lambda wire: wire.stream(bomb(4 << 30))),
        "more than 30000000 bytes|too slow",
    ),
    Attack(
        "gzip_of_nothing",
        "members of gzip without content, for ever",
        _after_head(OK + GZIP + b"\r\n\r\n", _flowing(gzip.compress(b"") * 500)),
        "more than 30000000 bytes|too slow",
    ),
    Attack(
        "deflate_of_nothing",
        "blocks of deflate without content, for ever",
        _after_head(OK + b"Content-Encoding: deflate\r\n\r\n\x78\x9c", _flowing(b"\x00\x00\x00\xff\xff" * 5000)),
        "more than 30000000 bytes|too slow",
    ),
    Attack(
        "length_of_another_script",
        "a Content-Length of `²`, and a short body",
        sends(OK + b"Content-Length: \xb2\r\n\r\n" + BODY),
        "Content-Length",
    ),
    Attack(
        "length_of_5000_digits",
        "a Content-Length of 5,000 digits",
        sends(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY),
        "Content-Length",
    ),
    Attack(
        "escapes_in_reason",
        "terminal escapes in the reason of status 404",
        sends(b"HTTP/1.1 404 " + ESCAPES + b"\r\n\r\n"),
        "answered 404 \\x1b[2J",
    ),
    Attack(
        "escapes_in_error_body", "terminal escapes in the body of status 404", sends(b"HTTP/1.1 404 No\r\n\r\n" + ESCAPES), "answered 404"
    ),
    Attack(
        "escapes_without_head", "terminal escapes in place of a status line (HTTP/0.9)", sends(ESCAPES + b"\r\n"), "BadStatusLine: \\x1b[2J"
    ),
    Attack(
        "escapes_in_media_type",
        "terminal escapes in the media type",
        sends(OK + b"Content-Type: a/" + ESCAPES + b"\r\n\r\n" + BODY),
        "expected media type text/csv",
        {"expect": {"media_type": "text/csv"}},
    ),
    Attack(
        "escapes_in_encoding",
        "terminal escapes in the Content-Encoding",
        sends(OK + b"Content-Encoding: " + ESCAPES + b"\r\n\r\n" + BODY),
        "which is not supported",
    ),
    Attack(
        "escapes_in_location",
        "terminal escapes in the target of a redirect",
        sends(b"HTTP/1.1 302 F\r\nLocation: ftp://a/" + ESCAPES + b"\r\n\r\n"),
        "ftp://a/",
    ),
    Attack(
        "escapes_of_ckan",
        "terminal escapes in CKAN's error message",
        document({"success": False, "error": {"message": ESCAPES.decode("latin-1")}}),
        "CKAN reports: \\x1b[2J",
        CKAN,
    ),
    Attack(
        "escapes_of_arcgis",
        "terminal escapes in ArcGIS's error message",
        document({"error": {"code": "\x1b", "message": "\x1b[2J"}}),
        "ArcGIS reports: \\x1b \\x1b[2J",
        LAYER,
        "/FeatureServer/0",
    ),
    Attack(
        "escapes_in_names",
        "terminal escapes in the names of CKAN's files",
        document({"success": True, "result": {"resources": [{"id": "\x1b[2J"}, {"id": "b"}]}}),
        "available: \\x1b[2J, b",
        CKAN,
    ),
    Attack("escapes_in_page", "terminal escapes in the error message of a page", document({"error": "\x1b[2J"}), "\\x1b[2J", PAGES),
    Attack("next_link_bracket", "a next link `http://[`", document({"items": [1], "next": "http://["}), "invalid address", LINKED),
    Attack(
        "next_link_no_address", "a next link `http://[zz]/`", document({"items": [1], "next": "http://[zz]/"}), "invalid address", LINKED
    ),
    Attack("next_link_object", "a next link that is an object", document({"items": [1], "next": {"a": 1}}), "invalid address", LINKED),
    Attack(
        "next_link_port",
        "a next link with a port of letters",
        document({"items": [1], "next": "http://127.0.0.1:x/"}),
        "invalid address",
        LINKED,
    ),
    Attack("link_header_bracket", "a Link header with `<http://[>; rel=next`", _link_header, "invalid address", BY_HEADER),
    Attack("total_infinity", "`total: Infinity`", document(b'{"items": [1], "total": Infinity}'), "expected a whole number", PAGES),
    Attack("total_nan", "`total: NaN`", document(b'{"items": [1], "total": NaN}'), "expected a whole number", PAGES),
    Attack(
        "total_5000_digits",
        "a `total` of 5,000 digits as text",
        document({"items": [1], "total": "9" * 5000}),
        "expected a whole number",
        PAGES,
    ),
    Attack(
        "total_5000_digits_bare",
        "a `total` of 5,000 digits",
        document(b'{"items": [1], "total": ' + b"9" * 5000 + b"}"),
        "a number of more than 4300 digits",
        PAGES,
    ),
    Attack("total_list", "a `total` that is a list", document({"items": [1], "total": [1]}), "expected a whole number", PAGES),
    Attack("ckan_url_bracket", "a file of CKAN with the address `http://[`", document(_resource("http://[")), "invalid address", CKAN),
    Attack("ckan_url_list", "a file of CKAN whose address is a list", document(_resource([1])), "no address", CKAN),
    Attack("ckan_resources_number", "`resources: 1`", document({"success": True, "result": {"resources": 1}}), "is missing", CKAN),
    Attack("hub_url_bracket", "an item of a Hub with the address `http://[`", document(_hub("http://[")), "invalid address", HUB),
    Attack("hub_url_space", "an item of a Hub with a file: address", document(_hub("file:///etc/passwd")), "expected http or https", HUB),
    Attack(
        "arcgis_fields_number", "a layer of ArcGIS with `fields: 1`", _layer({"fields": 1}), "no list of records", LAYER, "/FeatureServer/0"
    ),
    Attack(
        "arcgis_strange",
        "a layer of ArcGIS with numbers that are none",
        _layer({"fields": [1, {}], "maxRecordCount": -1e308, "editingInfo": 1}),
        "no list of records",
        LAYER,
        "/FeatureServer/0",
    ),
    Attack("arcgis_list", "a layer of ArcGIS that is a list", _layer([[1]]), "no list of records", LAYER, "/FeatureServer/0"),
    Attack("page_of_brackets", "a page of 15 MB of `[`", document(b"[" * 15_000_000), "more than 10000000 values", PAGES),
    Attack("page_nested", "a page nested 9 million deep", document(b"[" * 9_000_000), "nested too deeply", PAGES),
    Attack("page_of_objects_nested", "a page of objects nested 5,000 deep", document(b'{"a":' * 5000), "nested too deeply", PAGES),
    Attack(
        "page_of_small_values",
        "a page of 12 million numbers",
        document(b'{"items": [' + b"0," * 12_000_000 + b"0]}"),
        "more than 10000000 values",
        PAGES,
    ),
    Attack("pages_for_ever", "pages that never end", paged(lambda number: {"items": [number]}), "in all|more than 5000 pages", PAGES),
    Attack(
        "pages_slow",
        "pages that take 0.3 seconds each",
        lambda wire: (wire.ended.wait(0.3), paged(lambda n: {"items": [n]})(wire))[1],
        "in all",
        PAGES,
    ),
    Attack(
        "cursors_for_ever",
        "a new cursor with each empty page",
        document(lambda wire: {"items": [], "next": next(_NUMBERS)}),
        "in all|is the same as the page before|more than 5000 pages",
        {"paging": {"kind": "cursor", "param": "c", "next": "/next", "records": "/items"}},
    ),
    Attack(
        "eurostat_available",
        "an asynchronous answer of Eurostat that is always available, without data",
        _status("AVAILABLE"),
        "not ready",
        {"protocol": "eurostat"},
        EUROSTAT,
    ),
    Attack(
        "eurostat_processing",
        "an asynchronous answer of Eurostat that is never ready",
        _status("PROCESSING"),
        "not ready",
        {"protocol": "eurostat"},
        EUROSTAT,
    ),
    Attack(
        "eurostat_unknown",
        "an asynchronous answer of Eurostat with an unknown state",
        _status("X" * 900),
        "Eurostat reports: XXX",
        {"protocol": "eurostat"},
        EUROSTAT,
    ),
]

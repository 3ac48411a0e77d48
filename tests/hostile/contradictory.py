"""Servers whose answers contradict themselves, are of another protocol, or hold too much of one thing: how each answers, and why it is refused.

They are tried beside those of `endless`.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.hostile.endless import (
    BODY,
    BY_HEADER,
    CHUNKED,
    CKAN,
    EUROSTAT,
    GZIP,
    HUB,
    LAYER,
    LINKED,
    OK,
    PAGES,
    Attack,
    document,
    paged,
    sends,
)
from tests.support.wire import Answer, Wire

GROUP = "Servers that contradict themselves, or send too much of one thing"
CURSORS = {"paging": {"kind": "cursor", "param": "c", "next": "/next", "records": "/items"}}
CZSO = {"protocol": "czso", "resource": "a"}
SPLIT: dict[str, Any] = {"protocol": "eurostat", "split": {"time": [str(year) for year in range(2000, 2030)]}}
LISTED = {"catalogue": {"format": "tsv", "id": "id", "changed": "changed", "item": "a"}}
LONG = "x" * 5_000_000
WORDS = "x " * 2_500_000
_NUMBERS = map(str, count())


def nested(depth: int) -> Any:
    """Return a list in a list, and so on."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def body(*headers: bytes, content: bytes = BODY) -> Answer:
    """Return the answer with these headers and the content as it is."""
    return sends(OK, *(header + b"\r\n" for header in headers), b"\r\n", content)


def redirect(*locations: bytes, status: bytes = b"302 Found") -> Answer:
    return sends(
        b"HTTP/1.1 ", status, b"\r\n", *(b"Location: " + location + b"\r\n" for location in locations), b"Content-Length: 0\r\n\r\n"
    )


def busy(seconds: bytes) -> Answer:
    return sends(b"HTTP/1.1 429 Busy\r\nRetry-After: ", seconds, b"\r\nContent-Length: 0\r\n\r\n")


def _new_addresses(wire: Wire) -> None:
    redirect(wire.path.encode() + b"/" + next(_NUMBERS).encode())(wire)


def _chunks_of(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


def _little_packed() -> Iterator[bytes]:
    """Yield a gzip stream that unpacks to a little more than it has."""
    packer, chance = zlib.compressobj(1, zlib.DEFLATED, 31), random.Random(1)
    for _ in range(40):
        yield packer.compress(chance.randbytes(700_000) + bytes(300_000))
    yield packer.flush()


def _little_packed_bomb(wire: Wire) -> None:
    wire.ok(GZIP)
    wire.stream(_little_packed())


def _slices(wire: Wire) -> None:
    if "time=" not in wire.query:
        return wire.send(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
    return wire.whole(b"{" + b" " * 9_000_000 + b"}")


def _jobs_for_ever(wire: Wire) -> None:
    name = next(_NUMBERS)
    status = "PROCESSING" if int(name) % 2 else "AVAILABLE"
    wire.whole(f"<e:Envelope><queued><id>{name}</id><status>{status}</status></queued></e:Envelope>".encode())


def _in_turns(number: int) -> dict[str, Any]:
    return {"items": [{"id": number % 2, "of": i} for i in range(3)]}


def _catalogue(table: bytes) -> Answer:
    return lambda wire: wire.whole(table if wire.path.endswith("/list") else BODY)


def _members(url: Any, **of_file: Any) -> dict[str, Any]:
    return {"success": True, "result": {"resources": [{"id": "a", "url": url, **of_file}]}}


def _member_with(**of_file: Any) -> Answer:
    """Return the answer of CKAN whose file is on the same server."""
    return document(lambda wire: BODY if wire.path.endswith("/file") else _members(f"{wire.path}/file", **of_file))


def _counted(answer: Any, layer: Any) -> Answer:
    """Return the answer of a layer of ArcGIS to queries, and its description."""
    return document(lambda wire: answer if wire.path.endswith("/query") else layer)


SECRET_PLACE = "http://169.254.169.254/latest/meta-data/"
ATTACKS = [
    Attack(
        "lengths_that_differ", "a Content-Length of 3 and one of 15", body(b"Content-Length: 3", b"Content-Length: 15"), "Content-Length"
    ),
    Attack("lengths_that_differ_in_one", "a Content-Length of `3, 15`", body(b"Content-Length: 3, 15"), "Content-Length"),
    Attack("length_with_sign", "a Content-Length of `+3`, which Python reads as 3", body(b"Content-Length: +3"), "Content-Length"),
    Attack("length_with_line", "a Content-Length of `0_3`, which Python reads as 3", body(b"Content-Length: 0_3"), "Content-Length"),
    Attack("length_negative", "a negative Content-Length", body(b"Content-Length: -1"), "Content-Length"),
    Attack("length_of_words", "a Content-Length in words", body(b"Content-Length: many"), "Content-Length"),
    Attack(
        "length_beside_chunks",
        "chunks, and a Content-Length of 3",
        body(b"Content-Length: 3", CHUNKED, content=_chunks_of(BODY)),
        "incomplete",
    ),
    Attack("chunked_twice", "chunks, with the header twice", body(CHUNKED, CHUNKED, content=_chunks_of(BODY)), "Transfer-Encoding"),
    Attack(
        "chunked_after_gzip",
        "a transfer in gzip and chunks",
        body(b"Transfer-Encoding: gzip, chunked", content=_chunks_of(gzip.compress(BODY))),
        "Transfer-Encoding",
    ),
    Attack(
        "transfer_unknown",
        "a transfer encoding that nobody knows",
        body(b"Transfer-Encoding: chunked-ish", content=_chunks_of(BODY)),
        "Transfer-Encoding",
    ),
    Attack("chunk_size_with_sign", "a chunk of `+f` bytes", body(CHUNKED, content=b"+f\r\n" + BODY + b"\r\n0\r\n\r\n"), None),
    Attack(
        "chunk_of_2_to_the_64", "a chunk of 2^64 bytes", body(CHUNKED, content=b"f" * 16 + b"\r\n" + BODY), "reading the response failed"
    ),
    Attack("chunk_size_of_words", "a chunk of `x` bytes", body(CHUNKED, content=b"x\r\n" + BODY), "reading the response failed"),
    Attack(
        "encodings_of_60_kB",
        "15,000 encodings in gzip, one on top of the other",
        body(b"Content-Encoding: " + b"gzip" + b",gzip" * 12_000, content=gzip.compress(BODY)),
        "encodings",
    ),
    Attack(
        "encodings_100_times",
        "a hundred headers with 10,000 encodings each",
        sends(OK, (b"Content-Encoding: " + b"gzip," * 10_000 + b"\r\n") * 90, b"\r\n"),
        "headers of more than",
    ),
    Attack("encoding_br", "a body in br", body(b"Content-Encoding: br"), "'br', which is not supported"),
    Attack(
        "encoding_zstd_in_gzip",
        "a body in zstd and then in gzip",
        body(b"Content-Encoding: zstd, gzip", content=gzip.compress(BODY)),
        "'zstd', which is not supported",
    ),
    Attack(
        "gzip_twice_once_packed",
        "a body in gzip twice that is packed once",
        body(b"Content-Encoding: gzip, gzip", content=gzip.compress(BODY)),
        "not encoded as gzip",
    ),
    Attack("gzip_little_packed", "a body in gzip of 28 MB that unpacks to 40 MB", _little_packed_bomb, "more than 30000000 bytes|too slow"),
    Attack("redirects_to_new_addresses", "redirects, each to a new address", _new_addresses, "TooManyRedirects"),
    Attack("redirect_twice", "a redirect with two targets", redirect(b"http://127.0.0.1:1/a", b"http://127.0.0.1:1/b"), "127.0.0.1"),
    Attack("redirect_gopher", "a redirect to gopher", redirect(b"gopher://127.0.0.1/"), "gopher"),
    Attack("redirect_script", "a redirect to a script", redirect(b"javascript:alert(1)"), "javascript:alert"),
    Attack("redirect_port", "a redirect to port 99999", redirect(b"http://127.0.0.1:99999/"), "invalid address|InvalidURL"),
    Attack(
        "redirect_long_label", "a redirect to a host of 300 letters", redirect(b"http://" + b"x" * 300 + b"/"), "invalid address|InvalidURL"
    ),
    Attack("redirect_empty_label", "a redirect to the host `a..b`", redirect(b"http://a..b/"), "invalid address|InvalidURL"),
    Attack("redirect_of_60_kB", "a redirect to an address of 60 kB", redirect(b"/redirect_of_60_kB/" + b"x" * 60_000), "TooManyRedirects"),
    Attack(
        "redirect_nat64", "a redirect to a private address through NAT64", redirect(b"http://[64:ff9b::a9fe:a9fe]/"), "not a public address"
    ),
    Attack(
        "redirect_local_tunnel",
        "a redirect to a private address through a local NAT64",
        redirect(b"http://[64:ff9b:1::a00:1]/"),
        "not a public address",
    ),
    Attack("redirect_compatible", "a redirect to an IPv4-compatible address", redirect(b"http://[::10.0.0.1]/"), "not a public address"),
    Attack("redirect_site_local", "a redirect to a site-local address", redirect(b"http://[fec0::1]/"), "not a public address"),
    Attack(
        "redirect_to_tls",
        "a redirect to TLS on a port without it",
        lambda wire: redirect(wire.url.replace("http", "https").encode() + b"/x")(wire),
        "SSL|too slow",
    ),
    Attack(
        "redirect_302_of_text",
        "status 302 with the address in the body",
        sends(b"HTTP/1.1 302 Found\r\n\r\nhttp://127.0.0.1/"),
        "answered 302",
    ),
    Attack(
        "cookies_of_6_MB",
        "a hundred cookies of 60 kB",
        sends(OK, *(b"Set-Cookie: c%d=%s\r\n" % (i, b"x" * 60_000) for i in range(95)), b"\r\n", BODY),
        "headers of more than",
    ),
    Attack(
        "etag_of_60_kB",
        "an ETag and a Last-Modified of 60 kB",
        body(b"ETag: " + b'"' + b"x" * 60_000, b"Last-Modified: " + b"9" * 60_000),
        None,
    ),
    Attack("etag_of_megabytes", "an ETag of a megabyte", body(b"ETag: " + b"x" * 1_000_000), "LineTooLong"),
    Attack(
        "links_of_6_MB",
        "a hundred Link headers of 60 kB",
        sends(OK, (b"Link: " + b"<a>;;;;, <" * 6_000 + b"\r\n") * 95, b"\r\n[1]"),
        "headers of more than",
        BY_HEADER,
    ),
    Attack(
        "not_modified_unasked",
        "status 304 with a body that nobody asked for",
        sends(b"HTTP/1.1 304 Not\r\nContent-Length: 15\r\n\r\n", BODY),
        "answered 304",
    ),
    Attack(
        "part_unasked",
        "status 206 with a range of another file",
        sends(b"HTTP/1.1 206 Part\r\nContent-Range: bytes 9-5/2\r\n\r\n", BODY),
        "answered 206",
    ),
    Attack(
        "range_refused",
        "status 416 to a request without a range",
        sends(b"HTTP/1.1 416 Range\r\nContent-Length: 0\r\n\r\n"),
        "answered 416",
    ),
    Attack(
        "other_protocol",
        "status 101 to another protocol, and data",
        sends(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", BODY),
        "answered 101",
    ),
    Attack("status_of_4_digits", "status 2000", sends(b"HTTP/1.1 2000 OK\r\n\r\n", BODY), "BadStatusLine"),
    Attack("status_of_words", "status `OK`", sends(b"HTTP/1.1 OK\r\n\r\n", BODY), "BadStatusLine"),
    Attack("banner_of_ssh", "the greeting of SSH", sends(b"SSH-2.0-OpenSSH_9.6\r\n"), "BadStatusLine"),
    Attack("banner_of_icy", "an answer of ICY", sends(b"ICY 200 OK\r\n\r\n", BODY), "BadStatusLine"),
    Attack("frames_of_h2", "frames of HTTP/2", sends(b"\x00\x00\x12\x04" + bytes(200)), "BadStatusLine|RemoteDisconnected|LineTooLong"),
    Attack("alert_of_tls", "an alert of TLS", sends(b"\x15\x03\x03\x00\x02\x02\x28"), "BadStatusLine"),
    Attack(
        "header_without_colon",
        "a header without a colon before the length",
        sends(OK + b"nonsense\r\nContent-Length: 3\r\n\r\n", BODY),
        None,
    ),
    Attack(
        "retry_of_another_calendar",
        "a Retry-After in the year 1446 of another calendar",
        busy("السبت، ٣ رجب ١٤٤٦".encode()),
        "answered 429",
    ),
    Attack("retry_on_31_February", "a Retry-After on 31 February", busy(b"Fri, 31 Feb 2027 99:99:99 GMT"), "answered 429"),
    Attack("retry_in_99999", "a Retry-After in the year 99999", busy(b"Fri, 31 Dec 99999 23:59:59 GMT"), "answered 429"),
    Attack("retry_negative", "a Retry-After of -1", busy(b"-1"), "answered 429"),
    Attack("retry_infinity", "a Retry-After of infinity", busy(b"Infinity"), "answered 429"),
    Attack("retry_zone", "a Retry-After in a zone of 99 digits", busy(b"Fri, 31 Dec 2027 23:59:59 +" + b"9" * 99), "answered 429"),
    Attack("total_negative", "a negative `total`", document({"items": [1], "total": -1}), "expected a whole number", PAGES),
    Attack("total_of_a_half", "a `total` of 1.5", document({"items": [1], "total": 1.5}), "expected a whole number", PAGES),
    Attack("total_too_small", "a `total` below what one page has", document({"items": [1, 2, 3], "total": 1}), "announced 1", PAGES),
    Attack(
        "total_too_large",
        "a `total` that the pages do not reach",
        paged(lambda n: {"items": [n] if n < 3 else [], "total": 9}),
        "announced 9",
        PAGES,
    ),
    Attack(
        "total_that_grows",
        "a `total` that grows with each page",
        paged(lambda n: {"items": [n], "total": n + 1}),
        "in all|more than 5000 pages",
        PAGES,
    ),
    Attack(
        "total_of_megabytes",
        "a `total` that is a list of 300,000 numbers",
        document({"items": [1], "total": [1] * 300_000}),
        "expected a whole number",
        PAGES,
    ),
    Attack("pages_in_turns", "two pages in turns, for ever", paged(_in_turns), "in all|more than 5000 pages|an earlier page has", PAGES),
    Attack(
        "page_links_to_itself",
        "a page whose next page is itself",
        document(lambda wire: {"items": [1], "next": wire.path}),
        "already fetched|same as the page before|same records",
        LINKED,
    ),
    Attack(
        "page_links_to_new_ones",
        "a page whose next page is a new one, for ever",
        document(lambda wire: {"items": [next(_NUMBERS)], "next": "?n=" + next(_NUMBERS)}),
        "in all|more than 5000 pages",
        LINKED,
    ),
    Attack("next_link_file", "a next link to a local file", document({"items": [1], "next": "file:///etc/passwd"}), "another host", LINKED),
    Attack("next_link_private", "a next link to a private address", document({"items": [1], "next": SECRET_PLACE}), "another host", LINKED),
    Attack("next_link_of_5_MB", "a next link of 5 MB", document({"items": [1], "next": "/" + LONG}), "longer than", LINKED),
    Attack("cursor_of_5_MB", "a cursor of 5 MB", document({"items": [1], "next": LONG}), "longer than", CURSORS),
    Attack("cursor_nested", "a cursor of lists in lists", document({"items": [1], "next": nested(300)}), "in all|same|already", CURSORS),
    Attack(
        "cursor_surrogate", "a cursor with half a character", document(b'{"items": [1], "next": "\\ud800"}'), "invalid address", CURSORS
    ),
    Attack(
        "cursor_with_lines",
        "a cursor with ends of lines and a header",
        document(lambda wire: {"items": [next(_NUMBERS)], "next": "\r\nX: y\r\n\r\n" + next(_NUMBERS)}),
        "in all|more than 5000",
        CURSORS,
    ),
    Attack(
        "records_nested", "records of lists in lists, 900 deep", document({"items": [nested(900)]}), "same records|nested too deeply", PAGES
    ),
    Attack(
        "key_twice",
        "`items` and `next` twice in one object",
        document(b'{"items": [1], "next": "?a", "items": "x", "next": "?b"}'),
        "no list of records",
        LINKED,
    ),
    Attack("message_of_5_MB", "an error message of 5 MB", document({"error": WORDS}), "no list of records", PAGES),
    Attack(
        "message_of_5_MB_of_ckan",
        "an error message of CKAN of 6 MB",
        document({"success": False, "error": {"message": "\x1b" * 1_000_000}}),
        "CKAN reports",
        CKAN,
    ),
    Attack(
        "message_of_5_MB_of_arcgis",
        "an error message of ArcGIS of 5 MB",
        document({"error": {"code": [1] * 300_000, "message": WORDS}}),
        "ArcGIS reports",
        LAYER,
        "/FeatureServer/0",
    ),
    Attack(
        "names_of_1_MB",
        "files of CKAN with names of a megabyte",
        document({"success": True, "result": {"resources": [{"id": LONG[:1_000_000]}, {"id": [1] * 200_000}]}}),
        "available:",
        CKAN,
    ),
    Attack("stamp_of_5_MB", "a file of CKAN that was changed at a text of 5 MB", _member_with(last_modified=LONG), None, CKAN),
    Attack("stamp_nested", "a file of CKAN that was changed at lists in lists", _member_with(last_modified=nested(300)), None, CKAN),
    Attack(
        "member_private", "a file of CKAN at a private address", document(_members("//169.254.169.254/a")), "not a public address", CKAN
    ),
    Attack("member_file", "a file of CKAN on the local disk", document(_members("file:///etc/passwd")), "expected http or https", CKAN),
    Attack("member_data", "a file of CKAN in its address", document(_members("data:text/csv,code%0A1")), "expected http or https", CKAN),
    Attack("member_of_5_MB", "a file of CKAN with an address of 5 MB", document(_members("/" + LONG)), "longer than", CKAN),
    Attack(
        "member_of_czso_private",
        "a file of a catalogue at a private address",
        document({"distribuce": [{"název": "a", "soubor_ke_stažení": "http://10.0.0.1/"}]}),
        "not a public address",
        CZSO,
    ),
    Attack(
        "member_of_czso_nested",
        "files of a catalogue that are lists in lists",
        document({"distribuce": nested(900)}),
        "is missing|nested too deeply",
        CZSO,
    ),
    Attack(
        "hub_of_many", "a Hub with 100,000 items of one name", document({"dataset": [{"identifier": "x"}] * 100_000}), "not unique", HUB
    ),
    Attack(
        "arcgis_key_of_5_MB",
        "a layer of ArcGIS with a key of 5 MB",
        _counted({"count": 1}, {"objectIdField": LONG}),
        "no name of a field|longer than",
        LAYER,
        "/FeatureServer/0",
    ),
    Attack(
        "arcgis_count_too_large",
        "a layer of ArcGIS with more features than it sends",
        _counted({"count": 10**18, "features": []}, {"maxRecordCount": 10**400}),
        "announced 1000000000000000000|too slow",
        LAYER,
        "/FeatureServer/0",
    ),
    Attack(
        "eurostat_slices", "slices of Eurostat of 9 MB each", _slices, "in all slices|more than 30000000 bytes|too slow", SPLIT, EUROSTAT
    ),
    Attack("eurostat_new_jobs", "a new job of Eurostat with each answer", _jobs_for_ever, "not ready", {"protocol": "eurostat"}, EUROSTAT),
    Attack(
        "list_of_many",
        "a catalogue as a table of a million lines",
        _catalogue(b"id\tchanged\n" + b"x\ty\n" * 1_000_000),
        "more than",
        LISTED,
    ),
    Attack(
        "list_of_many_columns",
        "a catalogue as a table of 200,000 columns",
        _catalogue(b"id\tchanged" + b"\tx" * 200_000 + b"\nb\tb\n" + b"c\td\n" * 20_000),
        "is not among",
        LISTED,
    ),
    Attack("list_without_item", "a catalogue without the item", _catalogue(b"id\tchanged\nb\tc\n"), "is not among", LISTED),
    Attack(
        "list_stamp_of_100_kB",
        "a catalogue whose item was changed at a text of 100 kB",
        _catalogue(b"id\tchanged\na\t" + b"x" * 100_000 + b"\n"),
        None,
        LISTED,
    ),
    Attack(
        "number_of_5000_digits",
        "a record of a number of 5,000 digits",
        document(b'{"items": [' + b"9" * 5000 + b"]}"),
        "a number of more than 4300 digits",
        PAGES,
    ),
    Attack(
        "page_in_utf16", "a page in UTF-16", document(json.dumps({"items": "x"}).encode("utf-16")), "no list of records|not JSON", PAGES
    ),
]

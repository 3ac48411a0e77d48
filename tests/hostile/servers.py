"""Servers that misbehave, on loopback and within a time limit: which responses become snapshots, and why others do not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import Reply, Server

GROUP = "Servers"
BODY = b"code,name\n1,Alder\n"
LONG = b"code,name\n" + b"".join(b"%d,Alder %x\n" % (n, n * n * 7919) for n in range(500))
CSV = {"Content-Type": "text/csv"}
METADATA = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True)
class Behaviour:
    """How a server answers the path /a.csv, and the expected result: a snapshot (`error` is None), or a part of the error."""

    id: str
    what: str
    replies: tuple[Reply, ...]
    error: str | None
    requests: int | None = None  # how many requests the server must receive
    expect: str = ""  # `fetch.expect` of the source
    limits: dict[str, Any] = field(default_factory=dict)
    others: Callable[[Server], None] = lambda server: None  # further paths

    def in_words(self) -> str:
        """Return the expected result as the documentation states it."""
        text = "the response becomes a snapshot" if self.error is None else f"rejected: “{self.error}”"
        return text if self.requests is None else f"{text}; {self.requests} request{'s' * (self.requests != 1)}"


def to(location: str, status: int = 302) -> tuple[Reply, ...]:
    return (Reply(status, b"", {"Location": location}),)


def _login(server: Server) -> None:
    server.replies["/login"] = [Reply(200, b"<!DOCTYPE html><html><form action=/login></form></html>", {"Content-Type": "text/html"})]


def _chain(server: Server) -> None:
    for i in range(20):
        server.replies[f"/chain{i}"] = list(to(f"/chain{i + 1}"))


def _two(server: Server) -> None:
    server.replies["/b.csv"] = list(to("/a.csv", 301))


def _good(server: Server) -> None:
    server.replies["/b.csv"] = [Reply(200, BODY, CSV)]


BEHAVIOURS = [
    Behaviour("fine", "the data", (Reply(200, BODY, CSV),), None, 1),
    Behaviour("html_with_200", "a web page with status 200", (Reply(200, b"\n  <!doctype HTML><html>Oops</html>", CSV),),
             "a web page in place of data"),
    Behaviour("html_after_bom", "a web page behind a byte order mark", (Reply(200, b"\xef\xbb\xbf<html>Oops</html>", CSV),),
             "a web page in place of data"),
    Behaviour("login_page", "a redirect to a login page", to("/login"), "a web page in place of data", 2, others=_login),
    Behaviour("empty_body", "status 200 without a body", (Reply(200, b"", CSV),), "empty"),
    Behaviour("no_content", "status 204", (Reply(204),), "answered 204"),
    Behaviour("truncated", "fewer bytes than the stated length", (Reply(200, BODY, CSV, promised=len(BODY) + 100),), "reading the response failed",
             limits={"retries": 0}),
    Behaviour("truncated_once", "fewer bytes than the stated length, the first time", (Reply(200, BODY, CSV, promised=len(BODY) + 100), Reply(200,
             BODY, CSV)), None, 2),
    Behaviour("reset", "the connection is cut in the middle of the body", (Reply(200, BODY, CSV, promised=10_000, reset=True),),
             "reading the response failed",
             limits={"retries": 0}),
    Behaviour("wrong_media_type", "another media type than the pack expects", (Reply(200, BODY, {"Content-Type": "application/pdf"}),),
              "expected media type text/csv, got application/pdf", expect="{media_type: text/csv}"),
    Behaviour("no_media_type", "no media type where the pack expects one", (Reply(200, BODY),), "media type",
             expect="{media_type: text/csv}"),
    Behaviour("too_small", "fewer bytes than the pack expects", (Reply(200, b"x", CSV),), "expected at least 1000 bytes",
             expect="{min_bytes: 1000}"),
    Behaviour("promised_too_large", "a stated length beyond the limit", (Reply(200, BODY, CSV, promised=10**12),),
             "1000000000000 bytes; the limit is 1000 bytes", limits={"max_bytes": 1000}),
    Behaviour("too_large", "more bytes than the limit, without a stated length", (Reply(200, b"x" * 5_000, {**CSV, "Connection": "close"}),
             ), "the limit is 1000 bytes", limits={"max_bytes": 1000}),
    Behaviour("slow_drip", "a byte now and then, without end", (Reply(200, b"x" * 300, CSV, pause=0.02),), "too slow",
              limits={"min_rate": 10_000, "min_rate_after": 0.2, "retries": 0}),
    Behaviour("silence", "no response at all", (Reply(200, BODY, CSV, after=1.2),), "timed out", limits={"read_timeout": 0.3, "retries": 0}),
    Behaviour("not_found", "status 404", (Reply(404, b"nothing"),), "answered 404", 1),
    Behaviour("gone", "status 410", (Reply(410, b"gone"),), "answered 410", 1),
    Behaviour("forbidden", "status 403 with a page of a firewall", (Reply(403, b"<html>Access denied</html>"),), "answered 403", 1),
    Behaviour("unauthorised", "status 401", (Reply(401, b"", {"WWW-Authenticate": "Basic"}),), "answered 401", 1),
    Behaviour("too_much_asked", "status 413: a retry would not help", (Reply(413, b"too large"),), "answered 413"),
    Behaviour("busy_with_time", "status 429 with a Retry-After time", (Reply(429, b"", {"Retry-After": "0"}), Reply(200, BODY, CSV)), None,
             2),
    Behaviour("busy_without_time", "status 429 without a Retry-After time", (Reply(429), Reply(200, BODY, CSV)), None, 2),
    Behaviour("busy_with_words", "status 429 with an unreadable Retry-After time", (Reply(429, b"", {"Retry-After": "soon"}), Reply(200, BODY, CSV)),
             None, 2),
    Behaviour("busy_with_date", "status 429 with a Retry-After date in the past", (Reply(429, b"",
             {"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"}), Reply(200, BODY, CSV)), None, 2),
    Behaviour("busy_for_a_year", "status 429 that asks to wait for a year: given up", (Reply(429, b"",
             {"Retry-After": "31536000"}),), "429"),
    Behaviour("busy_for_ever", "status 503, again and again", (Reply(503),), "503", limits={"retries": 2}),
    Behaviour("error_for_ever", "status 500, again and again: a limited number of retries", (Reply(500, b"<html>error</html>"),), "500", 3,
             limits={"retries": 2}),
    Behaviour("error_once", "status 502 once", (Reply(502), Reply(200, BODY, CSV)), None, 2),
    Behaviour("partial_content", "status 206 without a range request: a part is not the whole", (Reply(206, BODY, {**CSV,
             "Content-Range": "bytes 0-17/9999"}),), "206"),
    Behaviour("not_modified_unasked", "status 304 to an unconditional request", (Reply(304),), "304"),
    Behaviour("moved", "a permanent redirect", to("/b.csv", 301), None, 2, others=_good),
    Behaviour("redirect_to_itself", "a redirect to the same address", to("/a.csv", 301), "TooManyRedirects"),
    Behaviour("redirect_in_turns", "two addresses that redirect to each other", to("/b.csv", 301), "TooManyRedirects", others=_two),
    Behaviour("redirect_chain", "twenty redirects in a row", to("/chain0"), "TooManyRedirects", others=_chain),
    Behaviour("redirect_without_target", "a redirect without a target", (Reply(302),), "302"),
    Behaviour("redirect_to_metadata", "a redirect to the address where clouds keep their credentials", to(METADATA),
             "169.254.169.254 is 169.254.169.254, not a public address", 1),
    Behaviour("redirect_to_private", "a redirect to a private address", to("http://10.0.0.1/a.csv"),
             "10.0.0.1 is 10.0.0.1, not a public address", 1),
    Behaviour("redirect_to_loopback", "a redirect to another loopback address", to("http://127.0.0.2/a.csv"),
             "127.0.0.2 is 127.0.0.2, not a public address", 1),
    Behaviour("redirect_to_number", "a redirect to an address written as one number", to("http://2852039166/a.csv"), "not a public address",
             1),
    Behaviour("redirect_to_mapped", "a redirect to a private address inside an IPv6 one", to("http://[::ffff:10.0.0.1]/a.csv"),
             "not a public address", 1),
    Behaviour("redirect_to_ipv6", "a redirect to a link-local IPv6 address", to("http://[fe80::1]/a.csv"), "not a public address", 1),
    Behaviour("redirect_to_file", "a redirect to a local file", to("file:///etc/passwd"), "file:///etc/passwd", 1),
    Behaviour("redirect_to_ftp", "a redirect to another protocol", to("ftp://127.0.0.1/a.csv"), "ftp://127.0.0.1", 1),
    Behaviour("redirect_to_data", "a redirect to a data: address", to("data:text/csv,code%0A1"), "data:text/csv",
             1),
    Behaviour("redirect_with_login", "a redirect with a name and password in the address", to("http://user:pass@10.0.0.1/a.csv"),
             "not a public address", 1),
    Behaviour("redirect_to_nonsense", "a redirect to an invalid address", to("http://[not an address/"), "leads to an invalid address", 1),
    Behaviour("long_header", "a header of a hundred thousand letters", (Reply(200, BODY, {"X-Long": "x" * 100_000}),), "LineTooLong",
             limits={"retries": 0}),
    Behaviour("identity_encoding", "a content encoding that changes nothing", (Reply(200, BODY, {**CSV, "Content-Encoding": "identity"}),),
             None, 1),
    Behaviour("gzip_encoding", "a body in gzip, although none was asked for", (Reply(200, gzip.compress(BODY), {**CSV, "Content-Encoding": "gzip"}),),
             None, 1),
    Behaviour("gzip_members", "a body in gzip of two members, with zeros after them", (Reply(200, gzip.compress(BODY[:5])
             + gzip.compress(BODY[5:]) + b"\0" * 9, {**CSV, "Content-Encoding": "x-gzip"}),), None, 1),
    Behaviour("deflate_encoding", "a body in deflate with zlib's header", (Reply(200, zlib.compress(BODY),
             {**CSV, "Content-Encoding": "deflate"}),), None, 1),
    Behaviour("raw_deflate_encoding", "a body in deflate without a header", (Reply(200, zlib.compress(BODY)[2:-4],
             {**CSV, "Content-Encoding": "deflate"}),), None, 1),
    Behaviour("two_encodings", "a body in deflate and then in gzip", (Reply(200, gzip.compress(zlib.compress(BODY)),
             {**CSV, "Content-Encoding": "deflate, gzip"}),), None, 1),
    Behaviour("gzip_cut_off", "a body in gzip that breaks off, with the length of what came", (Reply(200, gzip.compress(LONG)[:-9], {**CSV,
             "Content-Encoding": "gzip"}),), "its gzip stream breaks off", 2, limits={"retries": 0}),
    Behaviour("gzip_cut_off_closed", "a body in gzip that breaks off as the connection is closed", (Reply(200, gzip.compress(LONG)[:99], {**CSV,
             "Content-Encoding": "gzip", "Connection": "close", "Content-Length": ""}),), "its gzip stream breaks off", 2, limits={"retries": 0}),
    Behaviour("gzip_cut_off_once", "a body in gzip that breaks off, the first time", (Reply(200, gzip.compress(BODY)[:-1], {**CSV,
             "Content-Encoding": "gzip"}), Reply(200, BODY, CSV)), None, 2),
    Behaviour("deflate_cut_off", "a body in deflate that breaks off", (Reply(200, zlib.compress(LONG)[:99], {**CSV,
             "Content-Encoding": "deflate"}),), "its deflate stream breaks off", 2, limits={"retries": 0}),
    Behaviour("deflate_empty", "a body in deflate of no bytes", (Reply(200, b"", {**CSV, "Content-Encoding": "deflate"}),),
             "its deflate stream breaks off", 2, limits={"retries": 0}),
    Behaviour("broken_encoding", "a body that claims to be gzip but is not", (Reply(200, BODY, {**CSV, "Content-Encoding": "gzip"}),),
             "reading the response failed",
             limits={"retries": 0}),
]  # fmt: skip

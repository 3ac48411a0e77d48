"""The page on hostile input for the documents: every case of the corpus with its outcome in words, generated from the cases themselves."""

from __future__ import annotations

from pipelines.core.connections import ConnectionLimits
from pipelines.extract.cloudevents.receiver import Bounds
from pipelines.extract.http.limits import Limits
from tests.hostile import (
    archives,
    books,
    contradictory,
    dates,
    declarations,
    encodings,
    endless,
    exhausting,
    expressions,
    keys,
    markup,
    numbers,
    servers,
    shapes,
    texts,
)

FILES = (encodings, numbers, shapes, dates, keys, texts, archives, markup, books)
INTRODUCTION = """\
# Hostile and broken input

This page is for reviewers and for authors of packs. It shows what happens to input that is broken, misleading or malicious, so that you can
look up a fault of a source and see how a run treats it. Every line is a case of the tests in `tests/hostile`, and its outcome is what the
tests assert; this page is generated from them. Terms are in the [glossary](glossary.md).

* All files are in one pack and go through one `zpo2 run`. Afterwards the good rows of every file are in the lake, and every bad row or cell
  is in quarantine with its reason. `read = accepted + quarantined + ignored` holds for every source, memory stayed bounded, the release
  verifies, and exit code 3 names the sources whose snapshot was refused.
* A *row* in quarantine is not used at all. A *cell* in quarantine is missing with status Q, while the rest of its row counts.
* Files are read by a process of their own with limits on memory, CPU time and rows (`ZPO2_READ_MEMORY`, `ZPO2_READ_SECONDS`, `ZPO2_READ_ROWS`).
  A small file may use 2 GB and 30 seconds, a large one more. A file that ends this process, or because of which it is stopped, is refused.
  So is one whose rows would need more than 45 % of ZPO2_READ_MEMORY in later steps (four million short rows, by default), with a text
  that cells share counted for each of them. Expressions and polygons have such processes, too, with 1.5 GB and 60 or 120 seconds.
* A refused snapshot leaves the last good one in place.
* The servers answer on loopback. No test sends a packet elsewhere.
"""
LIMITS = f"""\
## Limits of a fetch

Every limit ends one source with a reason, and no other source waits longer than its deadline. The operator can change those with a variable.
Sources that are not `optional` are fetched first, and the first part of every source before the second one of any. {Limits.concurrent} parts are
fetched at a time, {Limits.per_host} of them on one host (`name:port`). Beside those that take longer than {Limits.patience:g} seconds further ones
begin, up to {Limits.concurrent + Limits.slow} in all and {Limits.per_host + Limits.slow_per_host} on one host.

Where what failed on a host, or of a source, took as long as the deadline of one part, each further part has a tenth of it. After twice that time
no more parts are asked for before the next run. What optional sources lose does not count for the others. Parts that are fetched cost nothing of
this, however slow they are, but all optional sources together have a deadline, too. So optional sources that never end take at most
{Limits.optional_deadline / 60:g} minutes of a run, on one host or many, with one part or many. Sources that are not optional have no deadline \
in common: the run needs them.

| what | default | variable |
| --- | --- | --- |
| seconds that one part of a source may take: connections, redirects, retries, pages, polls; waiting for its turn does not count | \
{Limits.deadline:g} | `ZPO2_FETCH_DEADLINE` |
| seconds that all optional sources may take together, from the first of them on | {Limits.optional_deadline:g} | \
`ZPO2_FETCH_OPTIONAL_DEADLINE` |
| seconds until the body of a response begins: names, handshakes, redirects, retries, waits that a server asks for | \
{Limits.response_timeout:g} | `ZPO2_FETCH_RESPONSE_TIMEOUT` |
| bytes of one response, as they are sent and unpacked, and of all pages | {Limits.max_bytes:,} | `ZPO2_FETCH_BYTES` |
| seconds between two packets | {Limits.read_timeout:g} | |
| bytes a second of a body, on average, after {Limits.min_rate_after:g} seconds | {Limits.min_rate:,.0f} | |
| seconds for the text of an error; nothing else of its body is read, nor of the body of a redirect | {Limits.message_timeout:g} | |
| redirects, retries | {Limits.redirects}, {Limits.retries} | |
| characters of all headers of a response | {Limits.max_head:,} | |
| content encodings of a response | {Limits.max_encodings} | |
| bytes, values of a page or a catalogue, which is read into memory | {Limits.max_document:,}, {Limits.max_values:,} | |
| characters of an address or a cursor that a page or a catalogue names | {Limits.max_address:,} | |
| items of a catalogue of changes | {Limits.max_items:,} | |
| pages, records of all pages | {Limits.max_pages:,}, {Limits.max_records:,} | |
| bytes, requests of a run | {Limits.run_bytes:,}, {Limits.run_requests:,} | |
| bytes, requests of a source where the others have used up those of the run | {Limits.own_bytes:,}, {Limits.own_requests:,} | |

## Limits of the receiver

What a client sends to `zpo2 serve-events` is limited before its secret is known, and no client can block the others or `/health`.

| what | limit | at the limit |
| --- | --- | --- |
| seconds until the head of a request has arrived | {ConnectionLimits.head_timeout:g} | the connection is closed |
| bytes of the head | {ConnectionLimits.head:,} | the connection is closed |
| seconds between two requests on a connection | {ConnectionLimits.idle_timeout:g} | the connection is closed |
| requests that a client sends ahead of the responses | {ConnectionLimits.ahead} | the connection is closed |
| seconds in which the client must read {ConnectionLimits.read:,} bytes of a response | {ConnectionLimits.read_timeout:g} | \
the connection is closed |
| seconds until a response must have ended once the server stops | {ConnectionLimits.stop_timeout:g} | the connection is closed; all others \
are closed at once |
| connections of one address that wait for it | {ConnectionLimits.per_client} | the oldest of them is closed |
| connections of all clients that wait | {ConnectionLimits.total} | the oldest of the client with the most is closed |
| the head has neither the token nor a signature | | status 401; the body is not read |
| bytes of a body | {Bounds.body:,} | status 413; up to {ConnectionLimits.linger:,} bytes or {ConnectionLimits.linger_timeout:g} \
seconds of the rest are taken and dropped, so that the client sees the status |
| seconds until the body has arrived | {Bounds.body_timeout:g} | status 408 |
| bytes of all bodies that are arriving | {Bounds.buffered:,} | status 503 |
| requests whose events are being written | {Bounds.concurrent} | status 503 |

## Control characters

Control characters in what a server sends (reasons, headers, messages, names of files) are shown as escapes, such as `\\x1b`. Whatever else
the command prints or logs has escapes of JSON in their place, such as `\\u001b`; so have characters that turn the direction of a line.

## Texts that do not read as they are written

Characters that turn the direction of what follows (U+202A to U+202E, U+2066 to U+2069) and more than four combining marks on a letter make a
text that readers do not see as programs do. `zpo2 check` refuses both in a pack, and the first in its comments, too. Names and attributes of
areas lose them on their way into the lake, and an area with such an identifier or code is refused. So no file of a release, no page and no
answer has them. Everything else stays as it came, such as letters and marks of scripts that are written from right to left. Pages isolate the
direction of links and labels, and Markdown, HTML, XML, RDF, CSV and workbooks escape what they would take for markup or a formula.
"""


def render() -> str:
    """Return the page as Markdown."""
    parts = [INTRODUCTION, f"The page has {_count()} cases.\n"]
    for module in FILES:
        parts.append(_table(module.GROUP, [(case.id, case.what, case.outcome.in_words()) for case in module.CASES]))
    refused = [
        (r.id, f"{r.what}: `{_short(r.text)}`", f"`zpo2 check` ends with exit code 2{f': “{r.reason}”' if r.reason else ''}")
        for r in expressions.REFUSED
    ]
    computed = [(case.id, case.what, case.outcome.in_words()) for case in expressions.CASES]
    parts.append(_table(expressions.GROUP, refused + computed))
    stopped = "its process is stopped or ends, or its rows are too many, and the snapshot is refused with the reason; the run goes on"
    parts.append(_table(exhausting.GROUP, [(case.id, case.what, stopped) for case in exhausting.CASES]))
    parts.append(
        _table(declarations.GROUP, [(c.id, c.what, f"`zpo2 check` ends with exit code 2: “{c.reason}”") for c in declarations.CASES])
    )
    parts.append(_table(servers.GROUP, [(b.id, b.what, b.in_words()) for b in servers.BEHAVIOURS]))
    for group in (endless, contradictory):
        parts.append(_table(group.GROUP, [(a.id, a.what, a.in_words()) for a in group.ATTACKS]))
    parts.append(LIMITS)
    return "\n".join(parts)


def _count() -> int:
    files = sum(len(module.CASES) for module in FILES)
    servers_tried = len(servers.BEHAVIOURS) + len(endless.ATTACKS) + len(contradictory.ATTACKS)
    return files + len(expressions.REFUSED) + len(expressions.CASES) + len(exhausting.CASES) + len(declarations.CASES) + servers_tried


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    lines = [f"## {title}\n", "| case | input | outcome |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| `{name}` | {_cell(what)} | {_cell(outcome)} |" for name, what, outcome in rows), ""])


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _cell(text: str) -> str:
    """Return `text` as one cell of a table: no bar ends it, nothing in it is markup outside of code."""
    pieces = text.replace("\n", " ").replace("|", "\\|").split("`")
    return "`".join(piece if i % 2 else piece.replace("<", "&lt;").replace("*", "\\*") for i, piece in enumerate(pieces))

"""What came in place of data, judged by the first bytes: a web page, an error of the server, a PDF, an unsupported compression.

A message names it, so that nobody has to guess from a missing column. Whatever this module does not recognise, the readers judge.
"""

from __future__ import annotations

import json
import re

from pipelines.core.printable import one_line, shortened

HEAD_BYTES = 4096
"""How many bytes at the beginning of a file are examined."""
_SHOWN = 160  # characters of a server's own text that a message repeats
MARKUP_FORMATS = {"schema-org-events", "xml"}
"""Formats whose files may look like a web page."""
_JSON_FORMATS = {"json", "jsonstat", "geojson", "topojson", "ofn-events", "ofn-notices", "schema-org-events"}
_WORKBOOKS = {"xlsx", "xls", "ods"}
_PACKED_FORMATS = {"rdata"}
"""Formats whose files are compressed as a rule; their reader unpacks them."""
_TEXT_FORMATS = {"csv", "sdmx-csv", "eurostat-tsv", "ics"}
_MAGIC = (
    (b"%PDF-", "a PDF document in place of data"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd, which is not supported (gzip and ZIP are)"),
    (b"\xfd7zXZ\x00", "a file compressed with xz, which is not supported (gzip and ZIP are)"),
    (b"BZh", "a file compressed with bzip2, which is not supported (gzip and ZIP are)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, which is not supported (ZIP is)"),
    (b"Rar!\x1a\x07", "a RAR archive, which is not supported (ZIP is)"),
)
_UNPACKED_BY_READERS = (b"BZh", b"\xfd7zXZ\x00")
_BINARY_FOR_TEXT = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a legacy workbook (xls)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"GIF8", "an image"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
)
_PROLOGUE = re.compile(r"(?:\s+|<\?xml[^>]*\?>|<!--.*?-->)+", re.DOTALL)
_WEB_PAGE = re.compile(r"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_FRAGMENT = re.compile(r"<(?:head|body|table|meta|style|script|div|center|title|h[1-6]|form|p|br)[\s/>]", re.IGNORECASE)
_PHP = re.compile(
    r"\s*(?:<br\s*/?>\s*)?(?:<b>)?(?:PHP )?(?:Warning|Notice|Deprecated|Strict Standards|(?:Catchable )?Fatal error|Parse error)(?:</b>)?:"
    r".{1,1000}? on line (?:<b>)?[0-9]+",
    re.DOTALL,
)
_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\):")
_BAD_STATES = {"error", "err", "fail", "failed", "failure"}
_REASONS = ("message", "error", "errors", "error_message", "msg", "detail", "details", "description", "title")


def unexpected(head: bytes, format_: str) -> str | None:
    """Return what `head`, the beginning of a file, is in place of the declared format; None if it may be what was declared."""
    for magic, kind in _MAGIC:
        if head.startswith(magic) and not (format_ in _PACKED_FORMATS and magic in _UNPACKED_BY_READERS):
            return kind
    text = _decoded(head)
    if match := _PHP.match(text):
        return f"a message of PHP above or in place of the data: {shown(re.sub('<[^>]*>', '', match[0]))}"
    if _TRACEBACK.match(text):
        return f"an error of the server's program: {shown(text)}"
    if format_ not in MARKUP_FORMATS and (markup := _markup(text, format_)):
        return markup
    if format_ in _TEXT_FORMATS:
        for magic, kind in _BINARY_FOR_TEXT:
            if head.startswith(magic):
                return f"{kind} in place of {format_}"
        if error := _json_error(text):
            return error
    return None


def is_web_page(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a web page, whatever its server calls it."""
    text = _decoded(head)
    return bool(_WEB_PAGE.match(_without_prologue(text)) or _FRAGMENT.match(text.lstrip()))


def error_of(document: object) -> str | None:
    """Return the error that a parsed JSON document reports instead of data, or None. Many servers send it with status 200."""
    if not isinstance(document, dict):
        return None
    keys = {str(key).lower(): value for key, value in document.items()}
    states = {str(keys[name]).lower() for name in ("status", "state", "result", "type") if isinstance(keys.get(name), str)}
    says_no = any(keys.get(name) is False for name in ("success", "ok"))
    if not (states & _BAD_STATES or says_no or keys.get("error") or keys.get("errors")):
        return None
    reason = next((keys[name] for name in _REASONS if keys.get(name)), document)
    if isinstance(reason, dict):
        reason = next((reason[name] for name in _REASONS if reason.get(name)), reason)
    text = reason if isinstance(reason, str) else json.dumps(reason, ensure_ascii=False, default=str)
    return f"the server answered with an error in place of data: {shown(text)}"


def shown(text: str) -> str:
    """Return the beginning of a text from outside, on one line and without control characters."""
    return shortened(one_line(text), _SHOWN)


def _decoded(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(encoding, "replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _without_prologue(text: str) -> str:
    match = _PROLOGUE.match(text)
    return text[match.end() :] if match else text


def _markup(text: str, format_: str) -> str | None:
    root = _without_prologue(text)
    is_page = _WEB_PAGE.match(root)
    if format_ in _WORKBOOKS and (is_page or _FRAGMENT.match(root)):
        return f"a web page in place of data: an HTML document under the name of a workbook ({format_}); ask for the real file, or for CSV"
    if is_page or (format_ in _TEXT_FORMATS | _JSON_FORMATS and _FRAGMENT.match(root)):
        title = _title(text)
        return "a web page in place of data" + (f" ({title})" if title else "")
    if format_ in _TEXT_FORMATS and text.lstrip().startswith("<?xml"):
        return f"an XML document in place of {format_}"
    return None


def _title(text: str) -> str:
    match = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return shown(match[1]) if match else ""


def _json_error(text: str) -> str | None:
    """Return the error in a JSON document that came in place of text in columns."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return None
    try:
        return error_of(json.loads(stripped))
    except (ValueError, RecursionError):
        return None

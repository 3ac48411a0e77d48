"""Read a page or a catalogue in JSON into memory, few large ones at a time, and show what a server sent in an error. Sends nothing."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

from pipelines.extract.http.deadline import waiting
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError

Document = Any
_LARGE_BYTES, _LARGE_VALUES = 4 << 20, 200_000
_MAX_TEXT = 300  # characters of a text that are shown
_large = Lock()


def assert_readable(download: Download, url: str, limits: Limits) -> None:
    """Raise FetchError where a page or a catalogue is too large to be read into memory."""
    if download.size > limits.max_document:
        raise FetchError(f"{url}: {download.size} bytes; the limit of a page or a catalogue is {limits.max_document} bytes")


@contextmanager
def loaded(download: Download, url: str, limits: Limits) -> Iterator[Document]:
    """Yield a downloaded JSON document. Of the large ones, which take a multiple of their size, only one at a time is in memory: the caller
    keeps no part of it, and sends no request inside of `with`.

    Raises FetchError where it is not JSON, too large to be read into memory, or nested too deeply.
    """
    assert download.path is not None
    assert_readable(download, url, limits)
    with ExitStack() as stack:
        is_large = download.size > _LARGE_BYTES
        if is_large:
            _wait_for_turn(stack)
        content = download.path.read_bytes()
        values = sum(content.count(sign) for sign in (b",", b"[", b"{"))
        if values > limits.max_values:
            raise FetchError(f"{url}: more than {limits.max_values} values in one page or catalogue")
        if not is_large and values > _LARGE_VALUES:
            is_large = True
            _wait_for_turn(stack)
        yield _parsed(content, url, is_large)


def _wait_for_turn(stack: ExitStack) -> None:
    with waiting():
        stack.enter_context(_large)


def _parsed(content: bytes, url: str, is_large: bool) -> Document:
    collects = is_large and gc.isenabled()
    if collects:
        gc.disable()  # it would look at all values again and again while there are more and more of them
    try:
        return json.loads(content)
    except RecursionError:
        raise FetchError(f"{url}: not JSON that can be read: nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FetchError(f"{url}: not JSON: {error}") from None
    except ValueError:
        digits = sys.get_int_max_str_digits()
        raise FetchError(f"{url}: not JSON that can be read: a number of more than {digits} digits") from None
    finally:
        if collects:
            gc.enable()


def brief(value: Any) -> str:
    """Return the beginning of a text, or a number, that a server sent, on one line; empty for anything else."""
    if isinstance(value, str):
        return " ".join(value[: 2 * _MAX_TEXT].split())[:_MAX_TEXT]
    return str(value)[:_MAX_TEXT] if isinstance(value, int | float) else ""

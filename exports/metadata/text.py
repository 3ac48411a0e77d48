"""How descriptors write JSON, Markdown cells and addresses. Knows no particular document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from exports.model.licences import NO_LICENCE

_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_MARKDOWN = re.compile(r"[\\`*\[\]<|]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_])")
_CREATIVE_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)-(\d\.\d)")


def to_json(value: Any) -> bytes:
    """Return `value` as indented JSON in the given order. Raises ValueError for numbers that JSON does not have, such as NaN."""
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def cell(text: str) -> str:
    """Return `text` as a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def prose(text: str) -> str:
    """Return a text of a pack on one line of Markdown, in which it is text: no markup, no link, no HTML, and no end of a cell."""
    return _MARKDOWN.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))


def is_web(address: Any) -> bool:
    return isinstance(address, str) and address.startswith(("https://", "http://"))


def in_languages(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """Return those of `texts` that are in `languages`, in their order, and the English one, which every text of a table has."""
    return {language: texts[language] for language in dict.fromkeys((*languages, "en")) if language in texts}


def licence_url(licence: str) -> str | None:
    """Return the address of the text of a licence by its SPDX identifier; None if there is no licence or no valid identifier."""
    if licence == NO_LICENCE or not _SPDX.fullmatch(licence):
        return None
    if licence == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if match := _CREATIVE_COMMONS.fullmatch(licence):
        return f"https://creativecommons.org/licenses/{match[1].lower()}/{match[2]}/"
    return f"https://spdx.org/licenses/{licence}.html"


def release_url(base_uri: str, version: str) -> str | None:
    """Return the address of the folder of a release below `base_uri`; None if that is not a web address."""
    return f"{base_uri.rstrip('/')}/releases/{version}/" if is_web(base_uri) else None

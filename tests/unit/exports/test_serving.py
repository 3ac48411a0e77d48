"""What a server reads from the headers of a client, and which compressed files it keeps."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exports.serve import preferences
from exports.serve.compression import CompressedFiles, accepts_gzip, is_compressible


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate, br", True), ("GZIP", True), ("*", True), ("br;q=1.0, gzip;q=0.8", True), ("", False), ("br", False),
        ("gzip;q=0", False), ("gzip;q=0.0, *", False), ("gzip;q=x", False), ("identity;q=1, *;q=0", False), (";;,,q=", False),
    ],
)  # fmt: skip
def test_gzip_is_sent_to_who_accepts_it(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("cs-CZ,cs;q=0.9,en;q=0.5", "cs"), ("de,en;q=0.3,cs;q=0.4", "cs"), ("EN", "en"), ("", "en"), ("fi", "en"), ("*", "en"),
        ("cs;q=0", "en"), ("en;q=0.1, cs;q=0.1", "en"), ("cs;q=9", "cs"), ("cs;q=nan", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_preferred_one_or_the_first(header: str, language: str) -> None:
    assert preferences.language(header, ["en", "cs"]) == language


def test_no_language_is_chosen_where_none_is_offered() -> None:
    assert preferences.language("cs", []) is None


@pytest.mark.parametrize(
    ("kind", "size", "wanted"),
    [
        ("application/json", 1_000, True), ("text/html; charset=utf-8", 5_000, True), ("application/json", 999, False),
        ("application/json", 20_000_001, False), ("text/csv; charset=utf-8; header=present", 5_000, False), ("image/png", 5_000, False),
    ],
)  # fmt: skip
def test_text_for_browsers_is_compressed(kind: str, size: int, wanted: bool) -> None:
    assert is_compressible(kind, size) is wanted


def test_a_file_is_compressed_once_while_it_is_kept(tmp_path: Path) -> None:
    files, path = CompressedFiles(), tmp_path / "a.json"
    path.write_bytes(b"[1]" * 1_000)
    first = files.content(path, "one")
    assert gzip.decompress(first) == path.read_bytes()
    path.unlink()
    assert files.content(path, "one") is first
    with pytest.raises(FileNotFoundError):
        files.content(path, "two")


def test_what_was_not_asked_for_longest_is_dropped_first(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"x")
    files = CompressedFiles(kept=2 * len(gzip.compress(b"x")))
    files.content(path, "one"), files.content(path, "two"), files.content(path, "one"), files.content(path, "three")
    path.unlink()
    assert gzip.decompress(files.content(path, "one")) == b"x"
    with pytest.raises(FileNotFoundError):
        files.content(path, "two")

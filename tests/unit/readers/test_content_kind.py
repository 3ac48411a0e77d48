"""What came in place of data: compressed files are named, unless the reader of the format unpacks them."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable

import pytest

from pipelines.readers import content_kind


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
class TestCompressedFile:
    def test_of_r_is_data(self, compress: Callable[[bytes], bytes]) -> None:
        assert content_kind.unexpected(compress(b"RDX3"), "rdata") is None

    @pytest.mark.parametrize("format_", ["csv", "xlsx", "json"])
    def test_of_other_formats_is_named(self, compress: Callable[[bytes], bytes], format_: str) -> None:
        assert "which is not supported" in (content_kind.unexpected(compress(b"code,value"), format_) or "")

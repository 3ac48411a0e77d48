"""What a pack chooses about the web site: colours, logo, texts."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from exports.model.site_choices import LARGEST_LOGO, PNG, logo_fault
from pipelines.core.yaml import PackError
from pipelines.packs.loading import load
from pipelines.packs.site import choices

PACKS = Path(__file__).parents[2] / "packs"


def png(width: int, height: int, size: int = 100) -> bytes:
    return (PNG + b"\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)).ljust(size, b"\0")


def pack_with(folder: Path, block: str, logo: bytes | None = None) -> Path:
    """A copy of the declarations of packs/demo with `site:` and, if given, a logo."""
    root = folder / "demo"
    root.mkdir()
    for name in ("sources", "indicators", "indices", "data"):
        if (PACKS / "demo" / name).is_dir():
            shutil.copytree(PACKS / "demo" / name, root / name)
    text = (PACKS / "demo" / "pack.yml").read_text(encoding="utf-8")
    (root / "pack.yml").write_text(f"{text}\n{block}", encoding="utf-8")
    if logo is not None:
        (root / "logo.png").write_bytes(logo)
    return root


GOOD = """site:
  title: {en: Districts in numbers, cs: Okresy v číslech}
  logo: logo.png
  colours: {here: "#005ea5"}
  texts: {cs: {nav.place: Okresy}}
  map_indicator: women_share
"""


def test_choices_of_a_pack_reach_the_release(tmp_path: Path) -> None:
    chosen = choices(load(pack_with(tmp_path, GOOD, png(88, 36)), with_files=True))
    assert chosen.title == {"en": "Districts in numbers", "cs": "Okresy v číslech"}
    assert chosen.colours == {"here": "#005ea5"}
    assert chosen.texts["cs"]["nav.place"] == "Okresy"
    assert chosen.logo == png(88, 36)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('site: {colours: {here: "red"}}', "site.colours.here"),
        ('site: {colours: {here: "#000;} body{display:none"}}', "site.colours.here"),
        ('site: {colours: {unknown: "#000000"}}', "site.colours"),
        ("site: {logo: ../../etc/passwd}", "no such file in the pack"),
        (f"site: {{logo: {'a' * 300}.png}}", "no such file in the pack"),
        ("site: {map_indicator: nothing}", "no such indicator"),
        ("site: {texts: {hu: {nav.place: Helyek}}}", "not one of the pack's languages"),
        ("site: {script: a.js}", "unknown key"),
    ],
)
def test_wrong_choices_are_refused_with_their_key(tmp_path: Path, block: str, message: str) -> None:
    with pytest.raises(PackError) as raised:
        load(pack_with(tmp_path, block), with_files=True)
    assert any(message in line and line.startswith("pack.yml:") for line in raised.value.lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg onload='alert(1)'/>", "not a PNG file"),
        (png(88, 36, LARGEST_LOGO + 1), "at most"),
        (png(900, 36), "four times"),
        (png(0, 36), "pixels"),
    ],
)
def test_logos_that_are_not_small_pictures_are_refused(content: bytes, message: str) -> None:
    assert message in logo_fault(content)


def test_a_logo_that_is_accepted() -> None:
    assert logo_fault(png(88, 36)) == ""

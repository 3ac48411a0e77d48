"""The sources of the site and what is built from them: nothing comes from elsewhere, and nothing is written past the escaping of texts."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from exports.model.site_choices import PNG
from exports.site.built import KINDS
from tests.support.command import PROJECT

SITE = PROJECT / "site"
BUILT = PROJECT / "exports" / "site" / "built"
BUDGET = 120_000
"""Bytes of the scripts and the style of a page together, compressed with gzip."""
UNESCAPED = re.compile(
    r"dangerouslySetInnerHTML|\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setTimeout\(['\"`]"
)
SOURCES = sorted(path for path in (SITE / "src").rglob("*") if path.is_file())


def test_script_and_style_are_named_after_their_content() -> None:
    manifest = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {*(f"{kind}.js" for kind in KINDS), "early.js", "style.css"}
    for name, path in manifest.items():
        stem, ending = name.split(".")
        digest = hashlib.sha256((BUILT / path).read_bytes()).hexdigest()[:12]
        assert path == f"{stem}-{digest}.{ending}"
    others = {path.name for path in BUILT.iterdir()} - set(manifest.values()) - {"manifest.json"}
    assert others == {f"texts.{folder.name}.json" for folder in (SITE / "texts").iterdir()} | set(_pictures())


def _pictures() -> dict[str, bytes]:
    """Return the pictures for sharing by the name that the build gives them."""
    found = {path.stem: path.read_bytes() for path in (SITE / "share").iterdir()}
    return {f"share-{kind}-{hashlib.sha256(content).hexdigest()[:12]}.png": content for kind, content in found.items()}


def test_each_kind_of_page_has_a_small_picture_for_sharing() -> None:
    assert {path.name for path in (SITE / "share").iterdir()} == {f"{kind}.png" for kind in KINDS}
    for name, content in _pictures().items():
        assert content[:8] == PNG
        assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (1200, 630)
        assert len(content) <= 30_000, name


def test_script_and_style_fit_into_their_budget() -> None:
    manifest = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))
    sizes = {name: len(gzip.compress((BUILT / path).read_bytes(), 6, mtime=0)) for name, path in manifest.items()}
    assert all(sizes[f"{kind}.js"] + sizes["early.js"] + sizes["style.css"] <= BUDGET for kind in KINDS), sizes


def test_the_lock_of_packages_has_checksums_and_no_addresses() -> None:
    lock = json.loads((SITE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 10
    assert [name for name, entry in packages.items() if not entry.get("integrity")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert "registry" not in (SITE / "package-lock.json").read_text(encoding="utf-8")
    declared = json.loads((SITE / "package.json").read_text(encoding="utf-8"))
    versions = [*declared["dependencies"].values(), *declared["devDependencies"].values()]
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix in (".ts", ".tsx")], ids=lambda path: path.name)
def test_no_source_writes_markup_from_text(path: Path) -> None:
    assert UNESCAPED.search(path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_source_names_another_host(path: Path) -> None:
    """Names of XML namespaces are no addresses that anything is fetched from."""
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
    assert re.findall(r"""(?:https?:)?//[a-z0-9-]+\.[a-z][^\s"'`)]*""", text) == []

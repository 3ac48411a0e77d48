"""The check of the built documentation site finds what is wrong, and the site's pages come from the repository's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import PROJECT, environment

PAGE = '<html><body><h1 id="top">Page</h1>{}</body></html>'


def check(site: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "docs" / "check_site.py"), str(site)], env=environment(), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="other.html">x</a>', "index.html: the link other.html leads to no file\n"),
        ('<a href="#bottom">x</a>', "index.html: the link #bottom leads to no heading\n"),
        ('<img src="a.png">', "index.html: the link a.png leads to no file\n"),
        (
            '<script src="https://scripts.example.org/a.js"></script>',
            "index.html: loads https://scripts.example.org/a.js from another host\n",
        ),
        ('<link rel="stylesheet" href="//fonts.example.org/a.css">', "index.html: loads //fonts.example.org/a.css from another host\n"),
        ('<a href="#top">x</a> <a href="https://example.org">y</a> <a href="index.html#top">z</a>', ""),
    ],
)
def test_check_names_each_fault(body: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE.format(body), encoding="utf-8")
    assert check(tmp_path) == (1 if fault else 0, fault)


def test_check_names_a_font_from_another_host(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE.format(""), encoding="utf-8")
    (tmp_path / "site.css").write_text("@font-face {src: url('https://fonts.example.org/a.woff2')}", encoding="utf-8")
    assert check(tmp_path) == (1, "site.css: loads https://fonts.example.org/a.woff2 from another host\n")


def test_check_refuses_an_empty_folder(tmp_path: Path) -> None:
    assert check(tmp_path)[0] == 1


@pytest.mark.slow
def test_site_starts_with_the_worked_example_and_turns_links(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=PROJECT, env=environment(NO_MKDOCS_2_WARNING="1"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    first = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'id="add-a-source-and-an-indicator"' in first
    assert 'href="pack-format.html"' in first
    assert 'href="local-feeds/regional_producers/index.html"' in (tmp_path / "site" / "indicators.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "search" / "search_index.json").is_file()
    assert check(tmp_path / "site") == (0, "")

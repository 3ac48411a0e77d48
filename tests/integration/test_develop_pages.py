"""The worked examples of docs/develop work: each page is applied to a copy of the project, and its commands are run there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import EPOCH, PROJECT, environment

PAGES = sorted((PROJECT / "docs" / "develop").glob("adding-*.md"))
BLOCK = re.compile(r"^(?:`(?P<name>[\w./-]+)`\n\n)?```(?P<kind>[\w ]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = {".git", ".venv", "build", "data", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of every copy of the project: dbt parses a project once as long as its place and its files stay the same."""
    return tmp_path_factory.mktemp("develop") / "project"


@pytest.fixture
def project(place: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the project, compiled modules included, whose `.venv` is the environment of this process."""

    def left_out(parent: str, names: list[str]) -> set[str]:
        return {name for name in names if name == "node_modules" or (name in LEFT_OUT and Path(parent) == PROJECT)}

    shutil.copytree(PROJECT, place, ignore=left_out)
    (place / ".venv").symlink_to(sys.prefix)
    yield place
    place.rename(tmp_path / "project")


def change(text: str, diff: str) -> str:
    """Return `text` with the change of a block: its lines without `+` must be there once, in this order; those without `-` replace them."""
    lines = [(line[:1], line[1:]) for line in diff.splitlines()]
    old = "".join(f"{rest}\n" for sign, rest in lines if sign != "+")
    new = "".join(f"{rest}\n" for sign, rest in lines if sign != "-")
    assert f"\n{text}".count(f"\n{old}") == 1, f"expected these lines once:\n{old}"
    return f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]


def test_change_needs_its_place() -> None:
    assert change("a\nb\nc\n", " a\n-b\n+d\n c\n") == "a\nd\nc\n"
    with pytest.raises(AssertionError, match="expected these lines once"):
        change("a\nb\n", " b\n+c\n a\n")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_worked_example_of_a_page(page: Path, project: Path) -> None:
    variables = environment(PYTHONPATH=str(project), SOURCE_DATE_EPOCH=EPOCH)
    commands = 0
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["name"]:
            path = project / block["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if block["kind"] == "diff":
                path.write_text(change(path.read_text(encoding="utf-8"), block["text"]), encoding="utf-8")
            else:
                assert not path.exists(), f"{block['name']}: the page creates a file that exists"
                path.write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "sh":
            for line in block["text"].splitlines():
                done = subprocess.run(
                    ["bash", "-c", line], cwd=project, env=variables, capture_output=True, text=True, timeout=900, check=False
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                commands += 1
        elif block["kind"] == "console":
            assert block["text"] in done.stdout, f"{line}\n{done.stdout}"
    assert commands > 0, "the page has commands that show that its example works"

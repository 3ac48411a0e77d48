"""The documents tell the truth: their links lead somewhere, generated pages are current, nothing names the machine it was written on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.command import PROJECT, environment

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# written apart, so that this file does not name them
MACHINE_PATHS = re.compile("|".join((r"/ho" r"me/\w", r"/tm" r"p/\w{2}", r"(?<![\w.~-])/wo" r"rk/", r"/Us" r"ers/\w", r"/ro" r"ot/\w")))
LOCKS = ("requirements.lock", "requirements-dev.lock")
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)(\[[^\]]*\])?==[^\s;\\]+", re.IGNORECASE)


def documents() -> list[Path]:
    named = [PROJECT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")]
    return [*named, *sorted((PROJECT / "docs").rglob("*.md"))]


def committed() -> list[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone: which files are committed is not known")
    return [path for name in listed.stdout.split("\0") if name and (path := PROJECT / name).is_file()]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", documents(), ids=lambda p: str(p.relative_to(PROJECT)))
def test_every_link_of_a_document_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


@pytest.mark.slow
def test_the_pages_made_from_the_code_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
def test_a_page_that_is_stale_is_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("pipelines", "quality", "exports", "dbt_project", "packs"):
        (root / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "docs", root / "docs")
    tables = root / "docs" / "tables.md"
    tables.write_text(tables.read_text(encoding="utf-8") + "One line too many.\n", encoding="utf-8")
    command = [sys.executable, str(root / "docs" / "generate.py")]
    done = subprocess.run([*command, "--check"], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "docs/tables.md" in done.stdout
    assert "docs/commands.md" not in done.stdout
    subprocess.run(command, env=environment(), check=True, capture_output=True)
    assert tables.read_bytes() == (PROJECT / "docs" / "tables.md").read_bytes()


def test_every_published_table_stands_in_the_page_of_tables() -> None:
    marts = {path.stem.removeprefix("mart_") for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("mart_*.*")}
    assert marts | {"changes", "revisions"} == {
        heading for heading in anchors(PROJECT / "docs" / "tables.md") if heading != "the-published-tables"
    }


def test_every_decision_has_three_to_five_lines() -> None:
    text = (PROJECT / "docs" / "decisions.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (.+)\n\n((?:.+\n)+)", text, re.MULTILINE)
    assert len(sections) == text.count("\n### ")
    assert [title for title, body in sections if not 3 <= body.count("\n") <= 5] == []


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
    site = json.loads((PROJECT / "site" / "package.json").read_text(encoding="utf-8"))
    names |= {name for group in ("dependencies", "devDependencies") for name in site[group] if not name.startswith("@types/")}
    page = (PROJECT / "docs" / "decisions.md").read_text(encoding="utf-8")
    reasons = {
        name for heading in re.findall(r"^### (.+)$", page.split("## Dependencies")[1], re.MULTILINE) for name in heading.split(", ")
    }
    assert {"pandera" if name.startswith("pandera") else name for name in names} == reasons


def test_page_of_tests_lists_every_support_module_and_shared_fixture() -> None:
    page = (PROJECT / "docs" / "develop" / "testing.md").read_text(encoding="utf-8")
    modules = {path.name for path in (PROJECT / "tests" / "support").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^\| `(\w+\.py)` \|", page, re.MULTILINE)) == modules
    fixtures = re.findall(r"^@pytest\.fixture.*\ndef (\w+)", (PROJECT / "tests" / "conftest.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in fixtures if f"`{name}`" not in page] == []


def test_every_page_that_is_written_by_hand_leads_to_the_glossary() -> None:
    pages = [path for path in (PROJECT / "docs").glob("*.md") if path.name != "glossary.md"]
    assert [path.name for path in pages if "(glossary.md)" not in path.read_text(encoding="utf-8")] == []


def test_no_committed_file_names_the_machine_it_was_written_on() -> None:
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(PROJECT)}: {match[0]}" for match in MACHINE_PATHS.finditer(text)]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_a_hash_for_each_requirement_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(--index-url|--extra-index-url|--find-links|-e |-f )", text, re.MULTILINE)
    joined = text.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > 50
    assert [line.split()[0] for line in lines if not REQUIREMENT.match(line) or "--hash=sha256:" not in line] == []


def test_the_development_lock_has_every_version_of_the_run_time_lock() -> None:
    versions = [set(re.findall(r"^[a-z].*?==[^\\\n]+", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE)) for name in LOCKS]
    assert len(versions[0]) > 50
    assert versions[0] - versions[1] == set()


def test_the_readme_shows_the_way_of_the_data_and_names_the_two_commands() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "```mermaid\nflowchart" in text
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", text, re.MULTILINE)) == {"run", "test"} <= targets


def test_the_licence_is_apache_2() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_hosted_checks_only_call_the_script_of_the_repository() -> None:
    (job,) = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_hooks_before_a_commit_fetch_nothing() -> None:
    repositories = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [r["repo"] for r in repositories] == ["local"]
    assert {hook["language"] for hook in repositories[0]["hooks"]} == {"system"}


def test_help_of_make_names_every_target() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    done = subprocess.run(["make", "--no-print-directory"], cwd=PROJECT, env=environment(), capture_output=True, text=True, check=True)
    assert [line.split()[1] for line in done.stdout.splitlines()] == targets

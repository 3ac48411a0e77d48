"""Hooks of the documentation site: what mkdocs.yml cannot say. The README and the pages beside it become pages, links are turned to them.

Pages are written for readers of the repository. Here, a link to a file outside of docs/ leads to its copy in the site, and a link to a
folder to a page that shows the folder's files, as does a link to a file of packs/demo.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).resolve().parent.parent
PAGES = {  # path in the repository -> page of the site
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "templates/pack-repository/README.md": "pack-repository.md",
    "LICENSE": "license.md",
}
NAV: dict[str, tuple[str, ...]] = {  # section -> pages; a folder stands for its pages that have no entry
    "Home": ("index.md",),
    "Use": (
        "commands.md",
        "pack-format.md",
        "tables.md",
        "indicators.md",
        "methods.md",
        "explain.md",
        "mcp.md",
        "glossary.md",
        "local-feeds/",
        "pack-repository.md",
    ),
    "Operate": (
        "operations.md",
        "scale.md",
        "publication.md",
        "site.md",
        "api.md",
        "questions.md",
        "hostile-input.md",
        "security.md",
        "operations/",
    ),
    "Develop": ("contributing.md", "architecture.md", "decisions.md", "develop/index.md", "develop/", "benchmarks.md"),
    "More": ("./", "changelog.md", "license.md"),
}
FOLDERS = (
    "docs/local-feeds/*/",
    "docs/operations/systemd/",
    "packs/demo/",
    "packs/demo/sources/",
    "packs/demo/indicators/",
    "packs/demo/indices/",
)
LANGUAGES = {".yml": "yaml", ".yaml": "yaml", ".csv": "csv", ".json": "json", ".service": "ini"}
LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s:#]+)(?P<anchor>#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def folders() -> dict[str, Path]:
    """Return the folders that get a page, by the page's path in the site."""
    found = sorted(path for pattern in FOLDERS for path in PROJECT.glob(pattern))
    return {f"{path.relative_to(PROJECT).as_posix().removeprefix('docs/')}/index.md": path for path in found}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Order the pages that exist: a page that is new in a folder needs no entry."""
    docs = PROJECT / "docs"
    pages = {*PAGES.values(), *folders(), *(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))}
    named = {page for section in NAV.values() for page in section}
    nav: list[Any] = []
    for title, entries in NAV.items():
        section: list[str] = []
        for entry in entries:
            in_folder = [page for page in sorted(pages - named) if page.startswith(entry) or (entry == "./" and "/" not in page)]
            section += [entry] if entry in pages else in_folder
        nav.append({title: section[0] if len(section) == 1 else section})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages whose sources lie outside of docs/, and those of folders."""
    for source, page in PAGES.items():
        path = PROJECT / source
        text = path.read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text if path.suffix == ".md" else f"# Licence\n\n```text\n{text}\n```\n"))
    for page, folder in folders().items():
        files.append(File.generated(config, page, content=_listing(folder)))
    return files


def _listing(folder: Path) -> str:
    """Return a page with the text of each file of a folder."""
    parts = [f"# {folder.relative_to(PROJECT).as_posix()}"]
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        text = path.read_text(encoding="utf-8").rstrip("\n")
        parts.append(f"## {path.name}\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{text}\n````")
    return "\n\n".join(parts) + "\n"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page from places in the repository to places in the site."""
    uri = page.file.src_uri
    source = next((source for source, target in PAGES.items() if target == uri), f"docs/{uri}")

    def turned(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["target"]))
        target = PAGES.get(path) or path.removeprefix("docs/")
        if f"{target}/index.md" in folders():
            target = f"{target}/index.md"
        folder, name = posixpath.split(path)
        if folder.startswith("packs/") and f"{folder}/index.md" in folders():
            return f"{posixpath.relpath(f'{folder}/index.md', posixpath.dirname(uri) or '.')}#{name.replace('.', '')}"
        return posixpath.relpath(target, posixpath.dirname(uri) or ".") + (match["anchor"] or "")

    parts: list[str] = []
    end = 0
    for fence in FENCE.finditer(markdown):  # what stands in a block of code is no link
        code = re.sub(r"^```(\w+) .*", r"```\1", fence[0])  # more words are for the tests that run the commands
        parts += [LINK.sub(turned, markdown[end : fence.start()]), code]
        end = fence.end()
    return "".join([*parts, LINK.sub(turned, markdown[end:])])

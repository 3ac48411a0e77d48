"""The pages and descriptors beside the releases: where people arrive, and what leads to the current release on a server without redirects.

They are a pure function of the ledger, of the version in latest.json and of files in the release folders. So whatever a killed process
left can be made again, and a `public` folder of an earlier version of the software gets them with the next command.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from exports.metadata.text import is_web, to_json
from exports.model import layout
from exports.model.tables import NAME
from exports.model.topics import EVERYTHING
from exports.pages import description, render
from exports.pages.data_sets import DataSetEntry
from exports.pages.description import Description, SourceEntry
from exports.release import feed
from exports.release.entries import RELEASES, WITHDRAWN, Entry
from exports.release.ledger import Ledger

POINTERS = (("latest.json", "newest_pointer"), ("releases.json", "all_releases"), ("feed.atom", "feed"))
"""What the first page names for programs, with the word that says what it is."""
DESCRIPTORS = {"catalog.ttl": "catalogue", "catalog.jsonld": "catalogue", "datapackage.json": "data_package", "api.json": "api"}
README = "README.md"


@dataclass(frozen=True)
class ReleaseLink:
    """A release on a page. `path` leads to its page below `public`; it is empty if its files were removed."""

    version: str
    released: str
    path: str
    state: str
    reason: str


def files(public: Path, ledger: Ledger, version: str | None) -> dict[str, bytes | Path | None]:
    """Return the files by path in `public`, in the order in which they are to be replaced; None for those that must not exist.

    Nothing is returned before the first release, and in a folder whose ledger does not know the release `version`.
    """
    entry = ledger.find(version)
    if entry is None:
        return {}
    folder = public / RELEASES / entry.version
    about = description.read(folder)
    languages = about.languages if about else ledger.pack.languages if ledger.pack else ["en"]
    descriptors = _descriptors(folder)
    pages = {
        **{f"{layout.LATEST_FOLDER}/{name}": content for name, content in descriptors.items()},
        layout.LATEST_SCRIPT: render.asset("latest.js"),
        layout.STYLE: render.asset(layout.STYLE),
        **_latest(public, ledger, entry, languages, about),
        **_data_sets(public, ledger, entry, languages, about),
        **_root(public, ledger, entry, languages, about, descriptors),
    }
    unchanged = {name for name in pages if name.endswith(".html") and not _is_ours(public / name)}
    wanted: dict[str, bytes | Path | None] = {name: content for name, content in pages.items() if name not in unchanged}
    return {**wanted, **dict.fromkeys(_outdated(public, pages))}


def _is_ours(path: Path) -> bool:
    """Whether a page may be replaced: there is none, or this software made it. Somebody may have put a page of their own there."""
    try:
        return render.MARK in path.read_bytes()[:2000]
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _outdated(public: Path, pages: Iterable[str]) -> list[str]:
    """Return the descriptors and pages of earlier releases, in languages that the pack has no more, which no longer belong here."""
    latest = [public / layout.LATEST_FOLDER / name for name in layout.LATEST_DESCRIPTORS]
    latest += [path for name in layout.LATEST_CATALOGUES for path in sorted((public / layout.LATEST_FOLDER / name).rglob("*"))]
    translated = [
        path
        for folder in (public, public / layout.LATEST_FOLDER, *(public / layout.DATASETS).glob("*"))
        for path in folder.glob("index.*.html")
        if _is_ours(path)
    ]
    existing = [path.relative_to(public).as_posix() for path in (*latest, *sorted(translated)) if path.is_file()]
    return [path for path in existing if path not in pages]


def _descriptors(folder: Path) -> dict[str, bytes]:
    """Return the descriptors of a release for another folder: none if its addresses are relative, because its pack has no base_uri."""
    package = _data_package(folder)
    address = str(package.get("id", "")).removesuffix("datapackage.json")
    if not is_web(address) or not address.endswith(f"/{RELEASES}/{folder.name}/"):
        return {}
    paths = [folder / name for name in layout.LATEST_DESCRIPTORS]
    paths += [path for name in layout.LATEST_CATALOGUES for path in sorted((folder / name).rglob("*"))]
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    return {**contents, "datapackage.json": to_json({**package, "resources": [_absolute(item, address) for item in package["resources"]]})}


def _data_package(folder: Path) -> dict[str, Any]:
    """Return datapackage.json of a release; empty if there is none or if it cannot be read."""
    try:
        package = json.loads((folder / "datapackage.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    resources = package.get("resources") if isinstance(package, dict) else None
    return package if isinstance(resources, list) and all(isinstance(item, dict) for item in resources) else {}


def _absolute(resource: dict[str, Any], address: str) -> dict[str, Any]:
    """Return a resource with the addresses of its files below `address`, the folder of its release."""
    path = resource.get("path")
    if isinstance(path, str):
        return {**resource, "path": urljoin(address, quote(path, safe="/:"))}
    if isinstance(path, list):
        return {**resource, "path": [urljoin(address, quote(str(part), safe="/:")) for part in path]}
    return resource


def _link(public: Path, ledger: Ledger, entry: Entry, current: Entry) -> ReleaseLink:
    folder = public / RELEASES / entry.version
    name = next((name for name in (layout.INDEX, README) if (folder / name).is_file()), "")
    path = f"{entry.path}{name}" if name and not entry.is_pruned else ""
    versions = [e.version for e in ledger.releases]
    earlier = versions.index(entry.version) < versions.index(current.version)
    state = "removed" if not path else "current" if entry is current else "earlier" if earlier else "later"
    reason = (entry.annotation(WITHDRAWN, "reason") or "?") if entry.is_withdrawn else ""
    return ReleaseLink(entry.version, entry.released, path, state, reason)


def _titles(ledger: Ledger, about: Description | None) -> dict[str, str]:
    if about:
        return dict(about.titles)
    return dict(ledger.pack.title) if ledger.pack else {"en": "Indicators"}


def _latest(public: Path, ledger: Ledger, entry: Entry, languages: Iterable[str], about: Description | None) -> dict[str, bytes]:
    return render.pages(
        "latest.html.j2",
        list(languages),
        to_root="../",
        folder=f"{layout.LATEST_FOLDER}/",
        script=True,
        title=_titles(ledger, about),
        current=_link(public, ledger, entry, entry),
    )


def _data_sets(public: Path, ledger: Ledger, entry: Entry, languages: Iterable[str], about: Description | None) -> dict[str, bytes]:
    """Return page and feed of each data set that any release has had. The release as a whole has its page at the root."""
    current = {data_set.id: data_set for data_set in about.data_sets} if about else {}
    names = dict.fromkeys([*current, *(name for release in reversed(ledger.releases) for name in release.data_sets)])
    pages: dict[str, bytes] = {}
    if names:
        whole = layout.landing_folder(EVERYTHING)
        pages |= render.pages("whole.html.j2", list(languages), to_root="../../", folder=whole, title=_titles(ledger, about))
    for name in names:
        if not NAME.fullmatch(name):
            continue
        content = feed.render(ledger, name, current[name].titles if name in current else {})
        releases = [_link(public, ledger, release, entry) for release in reversed(ledger.releases) if name in release.data_sets]
        data_set = current.get(name)
        base_uri = about.base_uri if about else ""
        pages |= render.pages(
            "data_set.html.j2" if data_set else "former.html.j2",
            list(languages),
            to_root="../../",
            folder=layout.landing_folder(name),
            d=about,
            name=name,
            titles={},
            data_set=data_set,
            current=_link(public, ledger, entry, entry),
            to_release=f"../../{entry.path}",
            address=layout.dataset_address(f"{base_uri.rstrip('/')}/", name) if base_uri else "",
            feed="feed.atom" if content else "",
            sources=_sources(about, data_set) if about and data_set else [],
            releases=releases,
        )
        if content:
            pages[f"{layout.landing_folder(name)}feed.atom"] = content
    return pages


def _sources(about: Description, data_set: DataSetEntry) -> list[SourceEntry]:
    """Return the sources of a data set in its order."""
    described = {source.id: source for source in about.sources}
    return [described[name] for name in data_set.sources if name in described]


def _root(
    public: Path, ledger: Ledger, entry: Entry, languages: Iterable[str], about: Description | None, descriptors: Iterable[str]
) -> dict[str, bytes]:
    releases = [_link(public, ledger, release, entry) for release in reversed(ledger.releases)]
    base_uri = about.base_uri if about else ledger.pack.base_uri if ledger.pack else ""
    pointers = [*POINTERS, *((f"{layout.LATEST_FOLDER}/{name}", DESCRIPTORS[name]) for name in descriptors if name in DESCRIPTORS)]
    return render.pages(
        "root.html.j2",
        list(languages),
        to_root="",
        d=about,
        title=_titles(ledger, about),
        current=_link(public, ledger, entry, entry),
        address=f"{base_uri.rstrip('/')}/" if is_web(base_uri) else "",
        data_sets=about.data_sets if about else [],
        feed="feed.atom" if ledger.pack else "",
        pointers=[(name, word) for name, word in pointers if ledger.pack or name != "feed.atom"],
        releases=releases,
    )

"""llms.txt in the folder of a release: what the release is and how to read it, for programs that read plain text."""

from __future__ import annotations

from exports.metadata.text import licence_url, prose, release_url
from exports.model import layout
from exports.model.info import Context
from exports.model.licences import NO_LICENCE
from pipelines.core.iri import escape_iri

PATH = "llms.txt"


def descriptor(context: Context) -> dict[str, bytes]:
    """Return the file if the release has the files for programs."""
    info = context.info
    if f"{layout.API}/index.json" not in context.files:
        return {}
    lines = [
        f"# {prose(info.text(info.title)) or info.pack}",
        "",
        f"> Indicators of territories ({info.country}), release {context.version} of {info.timestamp[:10]}. Files only, without a server.",
        "",
        *_about(context),
        "",
        "## How to read a value",
        "",
        f"1. Read [{layout.API}/index.json]({layout.API}/index.json): languages, meanings of statuses, names of all files.",
        f"2. Find the indicator in [{layout.API}/indicators.json]({layout.API}/indicators.json): title, unit, direction, decimals, periods, sources.",
        f"3. Find the place in [{layout.API}/areas.json]({layout.API}/areas.json). Its number is its place in the columns. Places of the same name "
        "differ in the area above (`parent`).",
        f"4. Read `{layout.API}/areas/<bundle>.json` for all values of a place, or `{layout.API}/indicators/<id>.json` for one "
        "indicator in all places.",
        "",
        "## Rules",
        "",
        "- State a value with its unit, period and source, and with its 95 % interval (`lower`, `upper`) where there is one.",
        "- null is a missing value, not 0. The letter in `status` at the same place says why. Do not estimate it.",
        "- Say better or worse only as `comparisons` does. `similar` means: chance alone may explain the difference.",
        "- Where `depends_on_size` is true, compare a place with its peers only.",
        "- For a group of places, add numerators and denominators by the rule in `group`. Never average values.",
        "- Give the rank in an index only where `rankable` is true; otherwise the fifth.",
        "",
        "## Files",
        "",
        f"- [{layout.API}/openapi.json]({layout.API}/openapi.json): every kind of file with its schema (OpenAPI 3.1)",
        f"- [{layout.API}/objective_measures.json]({layout.API}/objective_measures.json): what is known about the measures of objectives",
        *_site(context),
        "- [README.md](README.md): the tables as CSV and Parquet, and how to query them",
        "- [datapackage.json](datapackage.json): every table and column",
        "- [CHANGELOG.md](CHANGELOG.md): what changed since the previous release",
    ]
    return {PATH: ("\n".join(lines) + "\n").encode()}


def _site(context: Context) -> list[str]:
    """Return where to send people who want to look at a value."""
    if not layout.has_site(context.info.formats, context.files):
        return []
    page = layout.site_page("<language>", "place")
    return [f"- [{layout.SITE_START}]({layout.SITE_START}): the same for people; `{page}?area=<code>` shows a place"]


def _about(context: Context) -> list[str]:
    info = context.info
    lines = []
    if publisher := info.text(info.publisher.get("name")):
        lines.append(f"- Publisher: {prose(publisher)}")
    if info.licence_of_all != NO_LICENCE:
        address = licence_url(info.licence_of_all)
        lines.append(
            f"- Licence: {prose(info.licence_of_all)}{f' <{address}>' if address else ''}; sources have licences of their own (`sources`)"
        )
    if url := release_url(info.base_uri, context.version):
        lines.append(f"- Address: <{escape_iri(url)}>. Paths are relative to it. A release never changes.")
    return lines

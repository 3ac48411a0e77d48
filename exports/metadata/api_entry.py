"""api.json in the folder of a release, and in `latest/`: where the files for programs are. Its addresses are those of one release."""

from __future__ import annotations

from exports.metadata.text import release_url, to_json
from exports.model import layout
from exports.model.info import Context
from pipelines.core.iri import escape_iri

PATH = "api.json"


def descriptor(context: Context) -> dict[str, bytes]:
    """Return the file if the release has the files for programs. Without a base_uri, the addresses are relative to the release folder."""
    info = context.info
    if f"{layout.API}/index.json" not in context.files:
        return {}
    root = escape_iri(release_url(info.base_uri, context.version) or "")
    files = {"index": f"{layout.API}/index.json", "openapi": f"{layout.API}/openapi.json", "llms": "llms.txt"}
    if layout.has_site(info.formats, context.files):
        files["site"] = layout.SITE_START
    return {PATH: to_json({"version": context.version, "released": info.timestamp, **{name: root + path for name, path in files.items()}})}

"""Media types and caching rules of the files in a `public` folder, for serving and uploading."""

from __future__ import annotations

METADATA = "csv-metadata.json"
MEDIA_TYPES = {
    METADATA: "application/csvm+json",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".parquet": "application/vnd.apache.parquet",
    ".jsonld": "application/ld+json",
    ".json": "application/json",
    ".ttl": "text/turtle; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".cff": "application/yaml",
    ".atom": "application/atom+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".topojson": "application/json",
    ".geojson": "application/geo+json",
    "structure.xml": "application/vnd.sdmx.structure+xml; version=3.0.0",
    ".xml": "application/xml",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    "SHA256SUMS": "text/plain; charset=utf-8",
    ".duckdb": "application/octet-stream",
}

CACHE_FOREVER, CACHE_REVALIDATE = "public, max-age=31536000, immutable", "no-cache"


def media_type(name: str) -> str:
    """Return the media type that belongs to the name of a file."""
    return next((kind for ending, kind in MEDIA_TYPES.items() if name.endswith(ending)), "application/octet-stream")

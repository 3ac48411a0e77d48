"""Where the files are that come with the package but are not code: the dbt project, the demo pack and the starter pack.

A wheel carries them in this folder, where `setup.py` puts them. In a clone they have their own places. Nothing may write to them: an
installation can be read-only, and several people can share it.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
PACKAGES = _HERE.parents[1]
"""The folder of the packages `pipelines`, `quality` and `exports`: the root of a clone, or `site-packages`."""


def _folder(name: str, in_clone: str) -> Path:
    """Return the folder that a wheel carries under `name`, or its place in a clone."""
    installed = _HERE / name
    return installed if installed.is_dir() else PACKAGES / in_clone


DBT_PROJECT = _folder("dbt_project", "dbt_project")
DEMO_PACK = _folder("demo_pack", "packs/demo")
STARTER_PACK = _folder("starter_pack", "templates/pack-repository/pack")


def is_bundled(path: Path) -> bool:
    """Return whether `path` is one of the files that a wheel carries in this folder; in a clone none is."""
    return any(path.resolve().is_relative_to(_HERE / name) for name in ("dbt_project", "demo_pack", "starter_pack"))


def default_pack() -> Path:
    """Return `packs/demo` of the working folder if it is a pack, otherwise the demo pack that comes with the package."""
    local = Path("packs", "demo").absolute()
    return local if (local / "pack.yml").is_file() else DEMO_PACK

"""Runs modules of `site/src` under Node, for tests of what they compute."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import PROJECT

SITE = PROJECT / "site"


def bundled(folder: Path, script: str, **modules: str) -> Path:
    """Return a bundle of `script`, made in `folder`. It imports modules as `{name}`, whose paths in `site/src` are `modules`.

    Skips the test without Node or the packages of the site.
    """
    bundler = SITE / "node_modules" / ".bin" / "esbuild"
    if shutil.which("node") is None or not bundler.exists():
        pytest.skip("needs Node and `npm ci` in site/")
    paths = {name: json.dumps(str(SITE / "src" / path)) for name, path in modules.items()}
    source, bundle = folder / "script.ts", folder / "script.mjs"
    source.write_text(script.format(**paths), encoding="utf-8")
    command = [str(bundler), str(source), "--bundle", "--format=esm", "--platform=node", f"--outfile={bundle}", "--log-level=error"]
    subprocess.run(command, check=True, cwd=SITE)
    return bundle


def run(bundle: Path, argument: str) -> Any:
    """Return the JSON that a bundle prints; `argument` is its only one."""
    done = subprocess.run(["node", str(bundle), argument], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)

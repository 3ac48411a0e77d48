"""The kept corpus: small files in tests/hostile/corpus, by target, each with its settings beside it. It holds nothing from other places.

A file is a seed, or what a run of the fuzzing made out of seeds and took to find a fault or another refusal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.hostile.fuzzing.case import Case

FOLDER = Path(__file__).parents[1] / "corpus"
SETTINGS = ".settings.json"


def read(target: str, folder: Path = FOLDER) -> list[Case]:
    """Return the cases of a target, in the order of their names."""
    files = sorted(path for path in (folder / target).glob("*") if not path.name.endswith(SETTINGS))
    return [Case(path.name, path.read_bytes(), _settings(path)) for path in files]


def _settings(path: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(path.with_name(path.name + SETTINGS).read_text(encoding="utf-8"))
    return settings


def write(target: str, case: Case, folder: Path) -> Path:
    """Write a case, and return the path of its bytes."""
    path = folder / target / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case.content)
    path.with_name(path.name + SETTINGS).write_text(json.dumps(case.settings) + "\n", encoding="utf-8")
    return path

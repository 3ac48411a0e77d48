"""Versions of the stages of the pipeline. They are part of the keys under which results are kept.

Increase a version when the same inputs give another output. A comment, a new name or a moved file changes no version, so nothing is
processed again. `tests/integration/test_stage_versions.py` compares the output of a small pack with what it was and fails where it
differs under the same version. After an increase, `python -m tests.support.stage_digests` writes the expected output anew.
"""

from __future__ import annotations

LAKE = 11
"""From a snapshot to the files of the lake: reading, validation, mapping, territory, counting."""
WAREHOUSE = 8
"""From the lake to the marts: dbt models and statistics."""
RELEASE = 8
"""From the marts to the files of a release."""

STAGES = f"lake {LAKE}, warehouse {WAREHOUSE}, release {RELEASE}"
"""All of them in one text, as a release states them."""

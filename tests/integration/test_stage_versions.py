"""Output changes only together with the version of its stage in `pipelines/core/versions.py`.

The versions are part of the keys under which results are kept: with an unchanged version, homes would keep their old results.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.stage_digests import GOLDEN, current_versions, stage_digests

pytestmark = pytest.mark.slow

COMMAND = "python -m tests.support.stage_digests"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return content


def differences(digests: dict[str, str], golden_digests: dict[str, str]) -> list[str]:
    """Return the names whose digests differ."""
    return sorted(name for name in digests.keys() | golden_digests.keys() if digests.get(name) != golden_digests.get(name))


class TestStageVersions:
    def test_golden_file_is_of_the_current_versions(self, golden: dict[str, Any]) -> None:
        assert golden["versions"] == current_versions(), f"write the golden file anew: {COMMAND}"

    @pytest.mark.parametrize("stage", ["LAKE", "WAREHOUSE", "RELEASE"])
    @pytest.mark.parametrize(("pack", "home"), [("five_places", "five_home"), ("rules", "rules_home")])
    def test_same_version_means_same_output(
        self, golden: dict[str, Any], pack: str, home: str, stage: str, request: pytest.FixtureRequest
    ) -> None:
        folder: Path = request.getfixturevalue(home)
        changed = differences(stage_digests(folder)[stage], golden["packs"][pack][stage])
        assert not changed, (
            f"the output of stage {stage} has changed: {', '.join(changed)}. If this is intended, increase {stage} in "
            f"pipelines/core/versions.py and write the golden file anew: {COMMAND}"
        )

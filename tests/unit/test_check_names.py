"""Names of checks that `--accept` takes: one that no check has is refused before anything is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.orchestration import check_names
from pipelines.orchestration.assets.publication import expected_of_sources
from pipelines.packs.workspace import Workspace
from quality import completeness
from tests.support import five_places


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "home", Settings(), pack=packs.load(five_places.write(tmp_path / "pack")))


class TestCheckNames:
    def test_unknown_names_are_refused(self, workspace: Workspace) -> None:
        with pytest.raises(UsageError, match=r"^--accept model:valid_dim_aera: no such check; similar names: model:valid_dim_area"):
            check_names.assert_known(workspace, ["model:valid_dim_aera"])
        with pytest.raises(UsageError, match="--accept everything: no such check"):
            check_names.assert_known(workspace, ["everything"])

    def test_names_of_all_kinds_are_known(self, workspace: Workspace) -> None:
        names = ["model:valid_dim_area", "table:indicator_values", *completeness.NAMES, *expected_of_sources(workspace)]
        check_names.assert_known(workspace, names)

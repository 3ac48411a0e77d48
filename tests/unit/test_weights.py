"""A measure that weights areas has no negative values: such a cell goes to quarantine. Other measures may have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.quarantine import quarantine_frame
from pipelines.lake.store import Lake
from pipelines.packs.workspace import Workspace
from tests.support import five_places

ROWS = "code,sex,persons\na1,M,-3\na1,F,4\na2,M,5\na2,F,6\n"
PEOPLE = five_places.PEOPLE.replace("type: integer, min: 0", "type: number")
MEAN = PEOPLE.replace("id: people", "id: ages").replace("population: persons", "age: {value: persons, additive: false, weighted_by: heads}")
HEADS = PEOPLE.replace("id: people", "id: heads").replace("population:", "heads:")


@pytest.mark.parametrize(
    ("source", "measure", "is_refused"), [("people", "population", True), ("heads", "heads", True), ("ages", "age", False)]
)
def test_a_negative_weight_is_refused(tmp_path: Path, source: str, measure: str, is_refused: bool) -> None:
    sources = {"sources__people_yml": PEOPLE, "sources__ages_yml": MEAN, "sources__heads_yml": HEADS}
    files = {**sources, "data__people_2020_csv": ROWS, "data__people_2021_csv": ROWS}
    workspace = Workspace(tmp_path / "home", Settings(), pack=packs.load(five_places.write(tmp_path / "pack", **files)))
    fetch_sources(workspace)
    report = Ingest(workspace).run()[source]
    rows = Lake(workspace.lake).read_all(report.files("observations"), "observations").filter(measure=measure, ref_area="a1", sex="M")
    assert set(rows.select("obs_value", "obs_status").rows()) == {(None, "Q") if is_refused else (-3.0, "A")}
    reasons = set(quarantine_frame(workspace, source).select("column", "reason").rows())
    assert reasons == ({(measure, "-3.0: a weight cannot be negative")} if is_refused else set())

"""Whatever changes between two runs, the warehouse that they change is the one that a run would build from nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from pipelines import packs
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest
from pipelines.packs import confidentiality
from pipelines.warehouse import scope
from tests.support.changing_pack import KINDS, WITH_CHANGES, ChangingPack
from tests.support.damage import damage
from tests.support.two_warehouses import TwoWarehouses

pytestmark = pytest.mark.slow

SEQUENCES = int(os.environ.get("SEQUENCES_OF_CHANGES", "1"))
"""How many sequences of changes are tried; each is the same every time."""
KILLS = int(os.environ.get("KILLS_OF_CHANGED_RUNS", "5"))
"""How many runs are killed after a change, each at another moment."""
READERS_OF_FLOW = {
    "zero_ratio", "window_of_two", "window_of_three", "window_mean", "window_count", "change_of_window", "lagged", "growth",
}  # fmt: skip
"""The indicators of the pack that read the measure `flow`."""


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWarehouses]:
    folder = tmp_path_factory.mktemp("changed")
    both = TwoWarehouses(ChangingPack(folder / "pack"), folder / "homes")
    both.ingest()
    assert both.build() == []
    yield both
    both.close()


def protected_together(indicators: set[str], pack: ChangingPack) -> set[str]:
    """Return the indicators, and those whose confidential cells are chosen together with theirs: a source of the pack marks some cells."""
    groups = confidentiality.groups(packs.load(pack.folder))
    return indicators.union(*(group.indicators for group in groups if indicators & set(group.indicators)))


class TestScope:
    """What a run computes again, by what has changed. Each test leaves the warehouse complete."""

    def test_of_the_first_run_is_everything(self, warehouses: TwoWarehouses) -> None:
        assert warehouses.in_scope() == warehouses.pack.names()

    def test_of_a_run_after_which_nothing_changed_is_empty(self, warehouses: TwoWarehouses) -> None:
        warehouses.pack.shuffle_rows(random.Random(1))
        warehouses.ingest()
        assert warehouses.build() == []
        assert warehouses.in_scope() == set()

    def test_of_a_changed_value_is_what_reads_its_measure(self, warehouses: TwoWarehouses) -> None:
        warehouses.pack.edit("data/figures.csv", "flow,2021,t1,_T,_T,5,A", "flow,2021,t1,_T,_T,6,A")
        warehouses.ingest()
        assert warehouses.build() == []
        assert warehouses.in_scope() == protected_together(READERS_OF_FLOW, warehouses.pack)

    def test_of_a_changed_declaration_is_its_indicator(self, warehouses: TwoWarehouses) -> None:
        warehouses.pack.edit("indicators/all.yml", '"id": "per_km2", "title": "per_km2"', '"id": "per_km2", "title": "Pairs by area"')
        warehouses.ingest()
        assert warehouses.build() == []
        assert warehouses.in_scope() == protected_together({"per_km2"}, warehouses.pack)

    def test_of_a_changed_weight_is_everything(self, warehouses: TwoWarehouses) -> None:
        warehouses.pack.edit("data/heads.csv", "heads,2021,t1,_T,_T,10,A", "heads,2021,t1,_T,_T,11,A")
        warehouses.ingest()
        assert warehouses.build() == []
        assert warehouses.in_scope() == warehouses.pack.names()

    def test_of_another_version_of_the_code_is_everything(self, warehouses: TwoWarehouses, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pipelines.core.versions.WAREHOUSE", 0)
        assert warehouses.build() == []
        assert warehouses.in_scope() == warehouses.pack.names()


class TestInputsFarAway:
    """What changes a row although the declaration of its indicator and its measure stay the same."""

    def test_a_break_in_the_series_of_a_weight(self, warehouses: TwoWarehouses) -> None:
        (warehouses.pack.folder / "data/changes.csv").write_text(WITH_CHANGES, encoding="utf-8")
        warehouses.ingest()
        assert warehouses.build() == []
        warehouses.pack.declare_break("residents", "2010")
        warehouses.ingest()
        assert warehouses.build() == []
        assert "mean_age" in warehouses.in_scope()

    def test_a_first_row_in_a_period_that_a_span_of_another_indicator_names(self, warehouses: TwoWarehouses) -> None:
        warehouses.pack.append_row("others", "sparse", "2017", "t1", "_T", "_T", "1", "A")
        warehouses.ingest()
        assert warehouses.build() == []
        assert "growth" not in warehouses.in_scope()


class TestBesidesRuns:
    def test_models_that_a_developer_built_alone(self, warehouses: TwoWarehouses) -> None:
        value, other = "flow,2021,t2,_T,_T,4,A", "flow,2021,t2,_T,_T,9,A"
        warehouses.pack.edit("data/figures.csv", value, other)
        warehouses.ingest()
        warehouses.build_by_hand("stg_observations", "int_source_observations+")
        warehouses.pack.edit("data/figures.csv", other, value)
        warehouses.ingest()
        assert warehouses.build() == []

    def test_statistics_that_lost_a_file(self, warehouses: TwoWarehouses) -> None:
        next((warehouses.changed / "statistics/parts").glob("*/index_scores.parquet")).unlink()
        assert warehouses.build() == []

    def test_statistics_with_a_damaged_file(self, warehouses: TwoWarehouses) -> None:
        path = next((warehouses.changed / "statistics/parts").glob("*/index_scores.parquet"))
        content = path.read_bytes()
        damage(path, len(content) // 2)
        assert warehouses.build() == []
        assert path.read_bytes() == content

    def test_damaged_file_of_the_lake(self, warehouses: TwoWarehouses) -> None:
        files = Manifest.current(WorkspaceFolder(warehouses.changed)).files["observations"]
        path = next(warehouses.changed / "lake" / file.path for file in files if "figures" in file.path)
        content = path.read_bytes()
        damage(path, len(content) // 2)
        with pytest.raises(scope.ScopeError, match="missing or damaged on the disk; `zpo2 run` makes it again"):
            warehouses.begin()
        assert not path.exists()
        warehouses.ingest()
        assert path.read_bytes() == content
        assert warehouses.build() == []

    def test_a_part_of_the_project_needs_rows_to_keep(self, warehouses: TwoWarehouses, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pipelines.core.versions.WAREHOUSE", 0)
        before = (warehouses.changed / "warehouse.duckdb").read_bytes()
        with pytest.raises(scope.ScopeError, match="cannot be built in part"):
            warehouses.begin(in_part=True)
        assert (warehouses.changed / "warehouse.duckdb").read_bytes() == before

    def test_a_warehouse_that_somebody_writes_to_is_not_replaced(self, warehouses: TwoWarehouses) -> None:
        path = warehouses.changed / "warehouse.duckdb"
        hold = f"import duckdb, sys; connection = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", hold], stdin=PIPE, stdout=PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            with pytest.raises(scope.ScopeError, match="another process has it open for writing"):
                warehouses.begin()
            assert holder.stdin is not None
            holder.stdin.close()


def test_a_warehouse_that_was_killed_while_it_changed(warehouses: TwoWarehouses) -> None:
    rng = random.Random(11)
    for number in range(KILLS):
        done = warehouses.pack.change_value(rng)
        warehouses.ingest()
        warehouses.kill_during_build(rng.uniform(0.1, 4.0))
        if number % 5 == 4:
            assert warehouses.build() == [], done


class Changes(RuleBasedStateMachine):
    """Changes of every kind, runs that end, and runs that are killed. In the end both warehouses are the same."""

    sequence = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.warehouses = TwoWarehouses(ChangingPack(Path(self.folder.name) / "pack"), Path(self.folder.name) / "homes")
        self.warehouses.ingest()
        self.warehouses.change()
        self.steps = self.changes = 0

    @rule(seed=st.integers(0, 2**32))
    def change_an_input(self, seed: int) -> None:
        # also the simplest sequence, which is tried first, has changes of many kinds
        rng = random.Random(f"{self.sequence} {self.steps} {seed}")
        kind = rng.choice(sorted(KINDS))
        note(f"{kind}: {KINDS[kind](self.warehouses.pack, rng)}")
        self.steps += 1
        self.changes += 1

    @precondition(lambda self: self.changes >= 3)
    @rule(seed=st.integers(0, 2**32))
    def run(self, seed: int) -> None:
        self.warehouses.ingest()
        rng = random.Random(f"run {self.sequence} {self.steps} {seed}")
        if rng.random() < 0.3:
            self.warehouses.kill_during_build(rng.uniform(0.1, 3))
        else:
            self.warehouses.change()
        self.changes = 0

    def teardown(self) -> None:
        try:
            self.warehouses.ingest()
            assert self.warehouses.build() == []
        finally:
            self.warehouses.close()
            self.folder.cleanup()


@pytest.mark.parametrize("sequence", range(SEQUENCES))
def test_any_sequence_of_changes(sequence: int) -> None:
    machine = type("ChangesOfASequence", (Changes,), {"sequence": sequence})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=1,
            derandomize=True,
            stateful_step_count=14,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

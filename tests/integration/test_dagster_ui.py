"""What Dagster's UI shows of a pack: keys, owners and tags, refused rows as tables, jobs of parts, and a history that is pruned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable

from pipelines.core.settings import Settings
from pipelines.core.yaml import PackError
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.store import Lake
from pipelines.orchestration.assets.ingest import _metadata, _specs
from pipelines.orchestration.jobs import build_jobs
from pipelines.orchestration.keys import DEFAULT_OWNERS, gate_key, lake_table_key, release_key, source_key, statistics_key
from pipelines.orchestration.pruning import prune
from pipelines.packs import Pack, load
from pipelines.packs.workspace import Workspace
from tests.support import five_places

OWNED = five_places.PACK + "owners: [data@example.org, 'team:statistics']\ntags: {domain: people}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.of(load(five_places.write(tmp_path / "pack")), tmp_path / "home", Settings())
    made.open()
    return made


class TestSpecs:
    def specs(self, pack: Pack) -> dict[dg.AssetKey, dg.AssetSpec]:
        return {spec.key: spec for spec in _specs(pack)}

    def test_keys_begin_with_the_pack(self, workspace: Workspace) -> None:
        assert set(self.specs(workspace.pack)) == {dg.AssetKey(["five", "source", name]) for name in ("areas", "people")}

    def test_two_packs_share_no_key_even_if_their_sources_have_the_same_names(self, workspace: Workspace, tmp_path: Path) -> None:
        other = load(five_places.write(tmp_path / "other", pack_yml=five_places.PACK.replace("id: five", "id: six")))
        assert not set(self.specs(workspace.pack)) & set(self.specs(other))
        for key in (lake_table_key, statistics_key):
            assert key(workspace.pack, "areas") != key(other, "areas")
        assert (gate_key(workspace.pack), release_key(workspace.pack)) != (gate_key(other), release_key(other))

    def test_owners_and_tags_are_those_of_the_source_or_of_the_pack(self, tmp_path: Path) -> None:
        people = five_places.PEOPLE + "owners: ['team:census']\ntags: {kind: census}\n"
        pack = load(five_places.write(tmp_path / "pack", pack_yml=OWNED, sources__people_yml=people))
        specs = self.specs(pack)
        assert list(specs[source_key(pack, "areas")].owners) == ["data@example.org", "team:statistics"]
        assert list(specs[source_key(pack, "people")].owners) == ["team:census"]
        tags = {name: text for name, text in specs[source_key(pack, "people")].tags.items() if not name.startswith("dagster/")}
        assert tags == {"domain": "people", "kind": "census"}

    def test_without_owners_there_is_a_default(self, workspace: Workspace) -> None:
        assert list(self.specs(workspace.pack)[source_key(workspace.pack, "areas")].owners) == DEFAULT_OWNERS

    def test_owners_and_tags_change_no_number(self, workspace: Workspace, tmp_path: Path) -> None:
        assert load(five_places.write(tmp_path / "other", pack_yml=OWNED)).digest == workspace.pack.digest

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("owners: [nobody]", "pack.yml:16: owners.0: expected an e-mail address, or `team:`"),
            ("tags: {'a b': x}", "pack.yml:16: tags: a b: names and texts of tags have"),
        ],
    )
    def test_check_refuses_what_dagster_would_not_take(self, tmp_path: Path, line: str, message: str) -> None:
        with pytest.raises(PackError) as error:
            load(five_places.write(tmp_path / "pack", pack_yml=five_places.PACK + line + "\n"))
        assert error.value.lines[0].split(":", 2)[2].startswith(message.split(":", 2)[2])


def test_a_source_shows_its_refused_rows_as_tables_without_personal_data(tmp_path: Path) -> None:
    people = five_places.PEOPLE.replace("  persons: {", "  name: {personal: true}\n  persons: {")
    rows = "code,sex,name,persons\na1,M,Jane Doe,1\nb8,F,Joe Doe,3\nb9,F,Jim Doe,3\na2,M,Jill Doe,=1+1\x1b[2J\n"
    pack = load(five_places.write(tmp_path / "pack", sources__people_yml=people, data__people_2020_csv=rows))
    workspace = Workspace.of(pack, tmp_path / "home", Settings())
    workspace.open()
    fetch_sources(workspace)
    step = Ingest(workspace)
    report = step.run()["people"]
    metadata = _metadata(report, Lake(workspace.lake), step.states)
    by_reason = [dict(record.data) for record in metadata["refused_by_reason"].records]
    assert (by_reason[0]["count"], by_reason[0]["reason"]) == (2, "code ... of scheme lau: unknown")
    records = [dict(record.data) for record in metadata["refused_rows"].records]
    assert [record["row_number"] for record in records] == [3, 4, 5]
    text = str([*by_reason, *records])
    assert "Doe" not in text
    assert "***" in text
    assert "\x1b" not in text
    assert metadata["content_last_changed"].value <= metadata["looked_at"].value


class TestFetchJobs:
    def job(self, workspace: Workspace) -> dg.JobDefinition:
        [job] = [job for job in build_jobs(workspace) if isinstance(job, dg.JobDefinition)]
        return job

    def test_only_sources_with_parts_have_one_and_its_partitions_are_the_parts(self, workspace: Workspace) -> None:
        job = self.job(workspace)
        assert job.name == "fetch_people"
        assert job.partitions_def is not None
        assert job.partitions_def.get_partition_keys() == ["year=2020", "year=2021"]

    def test_fetches_its_part_only_and_leaves_the_rest_to_the_sensor(self, workspace: Workspace) -> None:
        with dg.DagsterInstance.ephemeral() as instance:
            result = self.job(workspace).execute_in_process(partition_key="year=2021", instance=instance)
            assert result.success
            assert "zpo2/drained" in result.dagster_run.tags, "another run may be requested meanwhile"
        parts = SourceStates(workspace.fetch_state).parts("people")
        assert {name for name, state in parts.items() if state.sha256} == {"year=2021"}
        assert parts["year=2021"].is_unprocessed

    def test_a_part_that_cannot_be_fetched_fails_its_run_with_the_reason(self, workspace: Workspace) -> None:
        (workspace.pack.root / "data" / "people_2021.csv").unlink()
        with dg.DagsterInstance.ephemeral() as instance:
            result = self.job(workspace).execute_in_process(partition_key="year=2021", instance=instance, raise_on_error=False)
        [failure] = [event for event in result.all_events if event.is_step_failure]
        assert "people year=2021: data/people_2021.csv: no such file" in str(failure.step_failure_data.user_failure_data)

    def test_the_combinations_of_several_variables_are_the_partitions(self, tmp_path: Path) -> None:
        people = five_places.PEOPLE.replace("parts: {year: [2020, 2021]}", "parts: {year: [2020, 2021], kind: [a, b]}")
        pack = load(five_places.write(tmp_path / "pack", sources__people_yml=people.replace("people_{year}", "people_{year}_{kind}")))
        job = self.job(Workspace.of(pack, tmp_path / "home", Settings()))
        assert job.partitions_def is not None
        assert job.partitions_def.get_partition_keys() == ["year=2020,kind=a", "year=2020,kind=b", "year=2021,kind=a", "year=2021,kind=b"]


class TestPrune:
    @pytest.fixture
    def instance(self, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
        (tmp_path / "dagster").mkdir()
        with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
            yield instance

    def test_keeps_the_newest_of_each_and_deletes_the_rest(self, instance: dg.DagsterInstance) -> None:
        key = dg.AssetKey(["five", "source", "people"])
        for number in range(20):
            instance.report_runless_asset_event(dg.AssetObservation(key, metadata={"number": number}))
            instance.report_runless_asset_event(dg.AssetCheckEvaluation(key, "fresh", passed=True))
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert prune(instance, later - timedelta(days=1)) == 0
        assert prune(instance, later) == 19 + 20 + 19  # observations, events of checks, evaluations
        assert prune(instance, later) == 0
        [observation] = instance.fetch_observations(key, limit=100).records
        assert observation.asset_observation is not None
        assert observation.asset_observation.metadata["number"].value == 19
        check = dg.AssetCheckKey(key, "fresh")
        assert instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check].status.value == "SUCCEEDED"
        for table in (SqlEventLogStorageTable, AssetCheckExecutionsTable):
            with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() <= 2

"""A source that changes: its columns, its values, its corrections. From snapshots to the lake, without the warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.store import Lake
from pipelines.packs.workspace import Workspace
from tests.support import five_places


class Place:
    """A pack and its home. `people` is the source that changes."""

    def __init__(self, folder: Path, **declared: str) -> None:
        self.folder = folder
        self.home = WorkspaceFolder(folder / "home")
        self.people = five_places.PEOPLE + "".join(f"{key}: {value}\n" for key, value in declared.items())
        five_places.write(folder / "pack", sources__people_yml=self.people)

    def run(self, people: str | None = None) -> SourceReport:
        """Fetch and process everything, the people of 2021 with the content `people`."""
        if people is not None:
            (self.folder / "pack" / "data" / "people_2021.csv").write_text(people)
        pack = packs.load(self.folder / "pack")
        settings = Settings()
        fetch_sources(Workspace(self.home.root, settings, pack=pack))
        return Ingest(Workspace(self.home.root, settings, pack=pack)).run()["people"]

    def value(self, report: SourceReport, area: str, sex: str) -> float | None:
        """Return the population of an area in 2021."""
        rows = Lake(self.home.lake).read_all(report.files("observations"), "observations")
        matches = rows.filter((rows["ref_area"] == area) & (rows["time_period"] == "2021") & (rows["sex"] == sex))
        return None if not matches.height else matches["obs_value"][0]


CHANGED = {
    "new": (five_places.PEOPLE_2021.replace("\n", ",\n").replace("persons,", "persons,note"), "column note is new"),
    "gone": ("\n".join(line.rsplit(",", 1)[0] for line in five_places.PEOPLE_2021.splitlines()), "column persons is gone"),
    "renamed": (five_places.PEOPLE_2021.replace("persons", "inhabitants"), "column persons is now inhabitants"),
    "text": (
        "\n".join(line if "code" in line else line.replace("1", "l").replace("al", "a1").replace("2", "z").replace("az", "a2")
                  .replace(",3", ",E").replace(",4", ",A").replace(",5", ",S") for line in five_places.PEOPLE_2021.splitlines()),
        "column persons held numbers and now holds text",
    ),
}  # fmt: skip


class TestSchemaChange:
    @pytest.mark.parametrize("change", CHANGED)
    def test_is_reported_once(self, tmp_path: Path, change: str) -> None:
        place = Place(tmp_path, on_schema_change="warn", max_quarantined="1")
        assert place.run().drift == {}
        content, words = CHANGED[change]
        report = place.run(content)
        assert report.drift == {"year=2021": words}
        assert report.stale_since is None
        assert place.run().drift == {}

    @pytest.mark.parametrize("change", CHANGED)
    def test_keeps_the_last_good_snapshot_when_frozen(self, tmp_path: Path, change: str) -> None:
        place = Place(tmp_path, on_schema_change="freeze")
        place.run()
        content, words = CHANGED[change]
        for _ in range(2):
            report = place.run(content)
            assert f"the columns are frozen, but {words}" in report.errors["year=2021"]
            assert report.stale_since is not None
            assert place.value(report, "a1", "M") == 13
        assert place.run(five_places.PEOPLE_2021.replace("a1,M,13", "a1,M,14")).stale_since is None

    def test_is_accepted_when_columns_evolve(self, tmp_path: Path) -> None:
        place = Place(tmp_path, on_schema_change="evolve")
        place.run()
        assert place.run(CHANGED["new"][0]).drift == {}


CORRECTION = "[{where: \"code = 'a1' and sex = 'M' and year = '2021'\", set: {persons: 12}, expect: {persons: 13}, reason: a slip}]"


class TestCorrection:
    def test_fails_once_the_provider_fixed_the_value(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        before = place.run()
        assert place.value(before, "a1", "M") == 13
        declared = five_places.PEOPLE + f"corrections: {CORRECTION}\n"
        (tmp_path / "pack" / "sources" / "people.yml").write_text(declared)
        corrected = place.run()
        assert corrected.errors == {}
        assert place.value(corrected, "a1", "M") == 12
        fixed = place.run(five_places.PEOPLE_2021.replace("a1,M,13", "a1,M,12"))
        assert "correction (a slip): expected '13' in column persons of row 2, found '12'" in fixed.errors["year=2021"]
        assert fixed.stale_since is not None
        assert place.value(fixed, "a1", "M") == 12  # of the last good snapshot, as corrected
        gone = place.run(five_places.PEOPLE_2021.replace("a1,M,13\n", ""))
        assert "correction (a slip): no row matches" in gone.errors["year=2021"]

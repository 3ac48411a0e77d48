"""What of a pack is protected together, and what `check` refuses because it cannot be protected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.yaml import PackError
from pipelines.packs import confidentiality
from pipelines.warehouse import suppression
from tests.support import five_places, secret_pack


def groups(folder: Path, changes: dict[str, str] | None = None) -> list[tuple[set[str], set[str], bool]]:
    pack = packs.load(secret_pack.write(folder, changes))
    return [(set(g.measures), set(g.indicators), g.is_declared) for g in confidentiality.groups(pack)]


def faults(folder: Path, **changes: str) -> list[str]:
    files = {name.replace("__", "/").replace("_yml", ".yml"): text for name, text in changes.items()}
    with pytest.raises(PackError) as error:
        packs.load(secret_pack.write(folder, files))
    return error.value.lines


def with_indicators(old: str, new: str) -> str:
    assert old in secret_pack.INDICATORS
    return secret_pack.INDICATORS.replace(old, new, 1)


PLAIN = "multiplier: 100}\n  by: [sex]\n  interval: proportion\n  levels"
OWN = "{measure: well}], multiplier: 100}\n  by: [sex]\n  interval: proportion\n  confidential"


class TestGroups:
    def test_measures_of_one_sum_are_protected_together(self, tmp_path: Path) -> None:
        assert groups(tmp_path) == [({"beds"}, {"beds"}, False), ({"ill", "well"}, {"ill_share", "well_share"}, True)]

    def test_a_source_that_marks_nothing_needs_no_protection(self, tmp_path: Path) -> None:
        beds = secret_pack.BEDS.replace("case when flag = 'c' then 'C' else 'A' end", "case when flag = 'c' then 'E' else 'A' end")
        assert [g[0] for g in groups(tmp_path / "a", {"sources/beds.yml": beds})] == [{"ill", "well"}]
        beds = secret_pack.BEDS.replace("case when flag = 'c' then 'C' else 'A' end", "coalesce(flag, 'A')")
        assert [g[0] for g in groups(tmp_path / "b", {"sources/beds.yml": beds})] == [{"beds"}, {"ill", "well"}]

    def test_a_measure_that_no_indicator_reads_needs_no_protection(self, tmp_path: Path) -> None:
        beds = secret_pack.BEDS.replace("beds: beds}", "beds: beds, rooms: beds}")
        assert [g[0] for g in groups(tmp_path, {"sources/beds.yml": beds})] == [{"beds"}, {"ill", "well"}]

    def test_weights_are_public_and_tie_nothing(self, tmp_path: Path) -> None:
        text = secret_pack.PACK + "weight: well\n"
        assert [g[0] for g in groups(tmp_path, {"pack.yml": text})] == [{"beds"}, {"ill"}]

    def test_a_pack_without_confidential_counts_has_no_step_more(self, tmp_path: Path) -> None:
        assert not suppression.is_needed(packs.load(five_places.write(tmp_path)))


class TestCheck:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("confidential_below: 11", "confidential_below: 1", "greater than or equal to 2"),
            ("confidential_below: 11", "confidential_below: few", "valid integer"),
            ("interval: proportion\n  levels", "levels", "-"),
            (PLAIN, "multiplier: 100, change: {years: 1}}\n  levels", "a change gives away"),
            (PLAIN, "share_of_areas: {below: 9}}\n  levels", "a share of areas cannot"),
            (
                PLAIN,
                "difference_to: nuts0}\n  levels",
                "a difference to another level cannot",
            ),
            ("numerator: [{measure: well}]", "numerator: [{measure: well, times: beds}]", "a product cannot be protected"),
            (OWN, "{measure: area_km2}]}\n  confidential", "built-in"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_protected_is_refused_with_its_place(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        if message == "-":
            packs.load(secret_pack.write(tmp_path, {"indicators/all.yml": with_indicators(old, new)}))
            return
        lines = faults(tmp_path, indicators__all_yml=with_indicators(old, new))
        assert any(message in line for line in lines), lines
        assert all(line.startswith("indicators/all.yml:") for line in lines)

    def test_counts_of_a_weight_cannot_be_confidential(self, tmp_path: Path) -> None:
        [line] = faults(tmp_path, pack_yml=secret_pack.PACK + "weight: ill\n")
        assert "ill: weighs areas, chooses peers or is built in" in line
        cases = secret_pack.CASES.replace("well: well", "well: {value: well, confidential_below: 5}")
        lines = faults(tmp_path / "b", pack_yml=secret_pack.PACK + "weight: well\n", sources__cases_yml=cases)
        assert any(line.startswith("sources/cases.yml:") and "confidential_below" in line for line in lines), lines

    def test_only_counts_can_be_confidential(self, tmp_path: Path) -> None:
        cases = secret_pack.CASES.replace("well: well", "well: {value: well, additive: false, confidential_below: 5}")
        lines = faults(tmp_path, sources__cases_yml=cases)
        assert any("only counts that add up" in line for line in lines), lines
        cases = secret_pack.CASES.replace("ill: ill", "ill: {value: ill, aggregate: mean}")
        lines = faults(tmp_path / "b", sources__cases_yml=cases)
        assert any("ill: its values are no counts that add up" in line for line in lines), lines

"""Questions to a release with namesakes and confidential counts: which place is meant, and that a suppressed cell gives no number away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from exports.model.errors import ReleaseError
from exports.query import explain, formulas, ranking, search, values
from exports.query.errors import QueryError
from exports.query.folding import fold
from exports.query.release import PublishedRelease
from tests.support.namesakes_pack import ILL

pytestmark = pytest.mark.slow
HIDDEN = ("X_101", "X_102", "X_301", "X_302")
"""The municipalities whose counts are confidential, or protect those that are."""


@pytest.fixture(scope="module")
def release(namesakes_release: Path) -> Iterator[PublishedRelease]:
    with PublishedRelease(namesakes_release) as opened:
        yield opened


def numbers_in(value: Any) -> list[float]:
    """Return all numbers in an answer."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [value]
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers_in(part)]
    return [n for part in value for n in numbers_in(part)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Čistá", "cista"),
        ("ČISTÁ  U HOREK", "cista u horek"),
        ("Brno-venkov", "brno venkov"),
        ("Łódź", "lodz"),
        ("„’", ""),
        ("C\u030cista\u0301", "cista"),
    ],
)
def test_names_are_folded(name: str, folded: str) -> None:
    assert fold(name) == folded


class TestPlaces:
    def test_namesakes_are_listed_with_their_districts(self, release: PublishedRelease) -> None:
        with pytest.raises(QueryError) as error:
            values.value(release, "ill_share", "Čistá", language="en")
        assert str(error.value) == (
            "There are 3 places named Čistá: X_101 Čistá (obec, Rakovník); X_201 Čistá (obec, Svitavy); "
            "X_301 Čistá (obec, Mladá Boleslav). Ask again with the code."
        )

    @pytest.mark.parametrize("asked", ["X_201", "x_201", "201", "Čistá, Svitavy", "cista (okres svitavy)"])
    def test_a_code_or_the_district_tells_them_apart(self, release: PublishedRelease, asked: str) -> None:
        answer = values.value(release, "ill_share", asked)
        assert answer.cell.place.code == "X_201"
        assert [place.name for place in answer.place.within] == ["Svitavy", "Stát"]

    def test_a_town_and_its_district_are_namesakes_unless_the_level_is_given(self, release: PublishedRelease) -> None:
        with pytest.raises(QueryError, match=r"Svitavy je 2: X_2 Svitavy \(okres\); X_203 Svitavy \(obec, Svitavy\)"):
            values.value(release, "people", "Svitavy")
        assert values.value(release, "people", "Svitavy", level="okres").cell.place.code == "X_2"
        assert values.value(release, "people", "okres Svitavy").cell.place.code == "X_2"

    def test_search_finds_namesakes_and_tolerates_typing(self, release: PublishedRelease) -> None:
        assert [p.code for p in search.search_places(release, "cista").places] == ["X_101", "X_201", "X_301"]
        assert [p.code for p in search.search_places(release, "cista", within="X_3").places] == ["X_301"]
        assert [p.code for p in search.search_places(release, "Litomyssl").places] == ["X_202"]
        assert search.search_places(release, "Atlantis").total == 0

    def test_pages_are_bounded_and_lead_on(self, release: PublishedRelease) -> None:
        first = search.search_places(release, "cista", limit=2)
        assert (len(first.places), first.total, first.next_offset) == (2, 3, 2)
        second = search.search_places(release, "cista", limit=2, offset=2)
        assert ([p.code for p in second.places], second.next_offset) == (["X_301"], None)

    def test_an_unknown_place_names_similar_ones(self, release: PublishedRelease) -> None:
        with pytest.raises(QueryError, match="Did you mean: X_302 Kosmonosy"):
            values.value(release, "people", "Kosmonossy", language="en")


class TestConfidentialCounts:
    @pytest.mark.parametrize("code", HIDDEN)
    def test_no_question_gives_a_number_for_them(self, release: PublishedRelease, code: str) -> None:
        cell = values.value(release, "ill_share", code).cell
        assert (cell.status, cell.value, cell.text) == ("C", None, None)
        assert numbers_in(cell.model_dump()) == []
        assert cell.missing is not None
        assert (cell.missing.reason[:13], cell.missing.supplier) == ("důvěrný údaj:", "Institute")
        explained = explain.explain(release, "ill_share", code)
        assert explained.computation is None
        assert numbers_in(explained.cell.model_dump()) == []
        assert all(numbers_in(c.model_dump()) == [] for c in values.series(release, "ill_share", code).cells)
        for compared in values.compare(release, "ill_share", [code, "X"]).places[:1]:
            assert (numbers_in(compared.cell.model_dump()), compared.comparisons) == ([], [])

    def test_a_group_with_one_of_them_has_no_value(self, release: PublishedRelease) -> None:
        answer = formulas.group(release, "ill_share", ["X_101", "X_103"], language="en")
        assert (answer.value, answer.numerator, answer.denominator, answer.formula) == (None, None, None, None)
        assert [cell.place.code for cell in answer.left_out] == ["X_101"]
        assert answer.notes == ["The value is null because 1 of 2 places have no value. Leave them out, or ask with skip_missing."]

    def test_a_group_that_leaves_them_out_says_so(self, release: PublishedRelease) -> None:
        answer = formulas.group(release, "ill_share", ["X_101", "X_103", "X_202"], skip_missing=True, language="en")
        assert answer.value == pytest.approx(100 * (300 + 210) / (15800 + 10100), rel=1e-11)
        assert [place.code for place in answer.counted] == ["X_103", "X_202"]
        assert answer.notes == ["1 of 3 places have no value and are not in this number."]

    def test_sums_of_any_open_places_are_exact(self, release: PublishedRelease) -> None:
        shown = [code for code in ILL if code not in HIDDEN]
        for size in range(1, len(shown) + 1):
            for places in combinations(shown, size):
                answer = formulas.group(release, "ill_share", places)
                ill, people = (sum(ILL[place][n] for place in places) for n in (0, 1))
                assert (answer.numerator, answer.denominator) == (ill, people)
                assert answer.value == float(f"{100 * ill / people:.12g}")

    def test_they_have_no_position(self, release: PublishedRelease) -> None:
        answer = ranking.rank(release, "ill_share", within="X", level="obec", order="lowest")
        assert [r.cell.place.code for r in answer.ranked] == ["X_303", "X_103", "X_202", "X_203", "X_201"]
        assert (answer.with_value, answer.without_value) == (5, 4)
        assert [cell.place.code for cell in answer.unranked] == list(HIDDEN)
        assert all(numbers_in(cell.model_dump()) == [] for cell in answer.unranked)


class TestGroups:
    def test_counts_that_add_up_are_added(self, release: PublishedRelease) -> None:
        answer = formulas.group(release, "people", ["X_101", "X_102"])
        assert (answer.value, answer.text, answer.denominator, answer.formula) == (380, "380\u00a0osob", None, None)

    def test_nobody_counts_twice(self, release: PublishedRelease) -> None:
        with pytest.raises(QueryError, match="X_101 Čistá lies in X_1 Rakovník"):
            formulas.group(release, "people", ["X_1", "X_101"], language="en")
        with pytest.raises(QueryError, match="X_101 Čistá was given twice"):
            formulas.group(release, "people", ["X_101", "101"], language="en")


def test_positions_by_chance_follow_from_the_intervals(release: PublishedRelease) -> None:
    ranked = ranking.rank(release, "ill_share", level="obec", order="lowest").ranked
    intervals = [r.cell.interval for r in ranked]
    for r in ranked:
        assert r.cell.interval is not None
        surely_better = sum(i is not None and i.upper_95 < r.cell.interval.lower_95 for i in intervals)
        surely_worse = sum(i is not None and i.lower_95 > r.cell.interval.upper_95 for i in intervals)
        assert (r.position_low, r.position_high) == (1 + surely_better, len(ranked) - surely_worse)


def test_answers_are_in_the_language_asked_and_name_their_sources(release: PublishedRelease) -> None:
    czech, english = (values.value(release, "ill_share", "X_203", language=language) for language in (None, "en"))
    assert (czech.indicator.title, czech.cell.text) == ("Podíl nemocných", "2,1\u00a0%")
    assert (english.indicator.title, english.cell.text) == ("Share of the ill", "2.1\u00a0%")
    assert [(origin.publisher, origin.licence) for origin in czech.attribution] == [("Institute", "CC-BY-4.0")]
    assert (czech.release.version, czech.release.licence) == (release.version, "CC-BY-4.0")
    with pytest.raises(QueryError, match=r"Language fr is not in this release\. It has: cs, en"):
        values.value(release, "ill_share", "X_203", language="fr")


def test_an_explanation_has_the_figures_the_file_and_the_command(release: PublishedRelease) -> None:
    answer = explain.explain(release, "ill_share", "X_203", period="2020", language="en")
    assert answer.computation == "100 × 350 / 16,700 = 2.09580838323"
    [source] = answer.sources
    assert (source.origin.source, source.files[0].address) == ("health", "data/health.csv")
    assert len(source.files[0].sha256) == 64
    assert answer.command == "zpo2 explain ill_share X_203 2020"


class TestRelease:
    def test_only_its_own_files_can_be_read(self, release: PublishedRelease) -> None:
        for sql in ("from read_csv('/etc/hostname')", "from read_text('pyproject.toml')", "set enable_external_access = true"):
            with pytest.raises(ReleaseError, match="cannot be read"):
                release.rows(sql)

    @pytest.mark.parametrize("text", ["X_203'; drop view areas; --", "' or 1=1 --", "\x00", "\ud800", "a" * 10_000, "%", "", " ", "🏛"])
    def test_texts_of_questions_stay_texts(self, release: PublishedRelease, text: str) -> None:
        for ask in (
            lambda: values.value(release, "people", text),
            lambda: values.value(release, text, "X"),
            lambda: ranking.index(release, text),
        ):
            with pytest.raises(QueryError) as error:
                ask()
            assert len(str(error.value)) < 600
        for period in (text, "2021'; --"):
            with pytest.raises(QueryError):
                values.value(release, "people", "X", period=period)
        with pytest.raises(QueryError):
            values.value(release, "people", "X", age=text or "x")
        assert release.rows("select count(*) as places from areas") == [{"places": 13}]

    def test_a_folder_that_is_no_release_is_named(self, namesakes_release: Path, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match=r"datapackage\.json: No such file or directory; name the folder of a release"):
            PublishedRelease(tmp_path)
        (tmp_path / "datapackage.json").write_text("[" * 100_000, encoding="utf-8")
        with pytest.raises(ReleaseError, match="not JSON"):
            PublishedRelease(tmp_path)
        (tmp_path / "datapackage.json").write_text(json.dumps({"version": "2021.01.1"}), encoding="utf-8")
        with pytest.raises(ReleaseError, match="an earlier version of the software made this release"):
            PublishedRelease(tmp_path)
        shutil.copytree(namesakes_release / "parquet", tmp_path / "parquet")
        (tmp_path / "parquet" / "areas.parquet").write_bytes(b"PAR1")
        with pytest.raises(ReleaseError, match=r"areas\.parquet: cannot be read"):
            PublishedRelease(tmp_path)

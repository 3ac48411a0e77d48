"""The generated packs of benchmarks/scale.py: the pack format accepts them, they are the same every time, and the floor computes them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks import scale, scale_floor, scale_pack
from benchmarks.scale_pack import Size
from pipelines import packs
from tests.support.dispersion import Group, dispersion

SIZE = Size(areas=500, years=2, measures=8)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scale_pack.write(tmp_path_factory.mktemp("scale") / "pack", SIZE)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_a_pack_of_any_number_of_levels_is_valid(levels: int, tmp_path: Path) -> None:
    size = Size(areas=3, years=2, measures=8, levels=levels)
    loaded = packs.load(scale_pack.write(tmp_path / "pack", size))
    assert len(loaded.indicators) == 7
    assert set(loaded.sources) == {"areas", "population", "group1", "group2"}
    assert scale_pack.areas(size)["level"].unique().len() == levels


def test_the_same_size_gives_the_same_bytes(pack: Path, tmp_path: Path) -> None:
    assert contents(scale_pack.write(tmp_path / "pack", SIZE)) == contents(pack)


def test_every_area_has_a_parent_at_the_next_level() -> None:
    areas = scale_pack.areas(SIZE)
    assert areas.group_by("level", maintain_order=True).len().rows() == [
        ("municipality", 500),
        ("district", 7),
        ("region", 2),
        ("country", 1),
    ]
    level = dict(zip(areas["code"], areas["level"], strict=True))
    chain = scale_pack.LEVELS[4]
    for code, parent in areas.select("code", "parent").rows():
        above = None if level[code] == chain[-1] else chain[chain.index(level[code]) + 1]
        assert (None if parent is None else level[parent]) == above


def test_the_data_have_every_measure_and_some_missing_values(pack: Path) -> None:
    tables = [pl.read_parquet(path) for path in sorted((pack / "data").glob("*.parquet"))]
    cells = sum(table.height * (table.width - 1) for table in tables)
    missing = sum(sum(table.null_count().row(0)) for table in tables)
    assert cells == SIZE.observations == 8000
    assert 0.005 < missing / cells < 0.02


def test_one_changed_value_is_one_cell_of_one_file(tmp_path: Path) -> None:
    pack = scale_pack.write(tmp_path / "pack", SIZE)
    before = contents(pack)
    scale_pack.change_one_value(pack, SIZE)
    after = contents(pack)
    changed = [name for name in before if after[name] != before[name]]
    assert changed == ["data/group2_2015.parquet"]
    old, new = (pl.read_parquet(source[changed[0]]) for source in (before, after))
    assert old.schema == new.schema
    assert sum((old[name].ne_missing(new[name])).sum() for name in old.columns) == 1


@pytest.mark.parametrize("arguments", [(0, 1, 2, 1), (1, 0, 2, 1), (1, 1, 1, 1), (1, 1, 2, 5)])
def test_an_impossible_size_is_refused(arguments: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 1 area"):
        Size(*arguments)


def test_the_floor_computes_ratios_roll_ups_and_dispersion(pack: Path, tmp_path: Path) -> None:
    steps = dict(scale_floor.run(pack, tmp_path / "floor", scale_pack.MULTIPLIER, "1GB"))
    assert list(steps) == ["read", "roll-ups", "dispersion", "write"]
    values = pl.read_parquet(tmp_path / "floor/indicator_values.parquet")
    assert values.height == (500 + 7 + 2 + 1) * 2 * 7
    population, group = (pl.read_parquet(scale_pack.data_file(pack, source, 2015)) for source in ("population", "group2"))
    own = population.join(group, on="code").filter(pl.col("m7").is_not_null())
    people, counts = own["population"].to_numpy(), own["m7"].to_numpy()
    last = (pl.col("indicator") == "ratio7") & (pl.col("time_period") == 2015)
    country = values.row(by_predicate=last & (pl.col("level") == "country"), named=True)
    assert country["obs_value"] == pytest.approx(1000 * counts.sum() / people.sum(), rel=1e-12)
    assert country["coverage"] == pytest.approx(people.sum() / population["population"].sum(), rel=1e-12)
    ratios = 1000 * counts / people
    [[expected]] = dispersion([[Group(ratios.tolist())]], weighted=False)
    table = pl.read_parquet(tmp_path / "floor/cohesion_dispersion.parquet")
    spread = table.row(by_predicate=last & (pl.col("within") == "C000001"), named=True)
    assert spread["n"] == len(ratios)
    for name in ("sd", "cv", "gini", "theil_t"):
        assert spread[name] == pytest.approx(expected[name, ""], rel=1e-9)


def test_the_files_of_the_floor_are_sorted_and_equal(pack: Path, tmp_path: Path) -> None:
    list(scale_floor.run(pack, tmp_path / "floor", scale_pack.MULTIPLIER, "1GB"))
    for name, key in (("indicator_values", "ref_area"), ("cohesion_dispersion", "within")):
        table = pl.read_parquet(tmp_path / f"floor/{name}.parquet")
        assert table.select("indicator", key, "time_period").is_duplicated().sum() == 0
        assert table["indicator"].rle().len() == 7
        for _, rows in table.group_by("indicator"):
            assert rows.select(key, "time_period").rows() == sorted(rows.select(key, "time_period").rows())
        written = duckdb.execute("select count(*) from read_csv(?)", [f"{tmp_path}/floor/{name}.csv"]).fetchall()[0][0]
        assert written == table.height


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(tmp_path: Path) -> None:
    scale.check_disk(SIZE, list(scale.PARTS), tmp_path)
    with pytest.raises(SystemExit, match=r"this size needs about [0-9.]+ GB of disk and .* has [0-9.]+ GB free"):
        scale.check_disk(Size(10**9, 100, 100), ["cold"], tmp_path)

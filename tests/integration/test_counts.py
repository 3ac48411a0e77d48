"""What a counted source counts: register entries in the years in which both the entry and its area are valid."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2

pytestmark = pytest.mark.slow
CLUBS = """\
id: clubs
title: Clubs
publisher: Somebody
licence: CC0-1.0
theme: municipal
fetch: {url: data/clubs.csv}
read: {format: csv}
columns: {club: {required: true}, code: {required: true}, since: {type: date}, state: {}}
into: register
map: {register: "'clubs'", id: club, area: {scheme: lau, code: code}, valid_from: since, status: state}
"""
MEMBERS = """\
id: members
from: register
where: "status = 'ok'"
measures: {clubs: "count(*)"}
universe: "level = 'lau'"
"""
MERGER = """\
id: merger
title: A merger
publisher: Somebody
licence: CC0-1.0
theme: municipal
fetch: {url: data/merger.csv}
read: {format: csv}
columns: {from: {required: true}, to: {required: true}}
into: area_changes
map: {from: '"from"', to: '"to"', on: "'2021-01-01'"}
"""
INDICATOR = """\
id: clubs
title: Clubs
objective: ZPO2-2
unit: clubs
direction: none
formula: {numerator: [{measure: clubs}]}
levels: [lau]
"""


class TestCountedSource:
    def test_entry_of_a_merged_area_counts_until_the_merger(self, tmp_path: Path) -> None:
        pack = five_places.write(
            tmp_path / "pack",
            pack_yml=five_places.ONLY_TABLES,
            sources__clubs_yml=CLUBS, sources__members_yml=MEMBERS, sources__merger_yml=MERGER, indicators__clubs_yml=INDICATOR,
            data__clubs_csv="club,code,since,state\n1,a1,2020-01-01,ok\n2,a2,2020-01-01,ok\n3,a2,2020-01-01,gone\n",
            data__merger_csv="from,to\na1,a2\n",
        )  # fmt: skip
        done = zpo2("run", "--pack", pack, "--home", tmp_path / "home", SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == 0, done.stdout + done.stderr
        release = current_release(tmp_path / "home") / "parquet"
        values = pl.read_parquet(release / "indicator_values.parquet").filter(
            pl.col("indicator") == "clubs", pl.col("ref_area").is_in(["a1", "a2"])
        )
        published = {(r["ref_area"], r["time_period"]): (r["obs_value"], r["obs_status"]) for r in values.to_dicts()}
        assert published["a2", "2020"] == (2.0, "E")  # the entry of a1 and its own
        assert published["a2", str(date.fromtimestamp(int(EPOCH)).year)] == (1.0, "A")
        assert ("a1", "2021") not in published
        rows = pl.read_parquet(release / "sources.parquet").filter(pl.col("source") == "members").to_dicts()[0]
        assert (rows["rows_read"], rows["rows_accepted"], rows["rows_ignored"]) == (3, 2, 1)
        explanation = zpo2("explain", "clubs", "a2", "2021", "--pack", pack, "--home", tmp_path / "home")
        assert explanation.returncode == 0, explanation.stdout + explanation.stderr

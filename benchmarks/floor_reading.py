"""The floor's reading: the files of packs/cz as typed polars frames, each read once and by hand. No contract, no quarantine, no lake."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
import python_calamine as calamine
import yaml

OBSERVATION = ["measure", "ref_area", "time_period", "sex", "obs_value"]
BOM = "\ufeff"


class Files:
    """The pack's files in the mirror, with the address and checksum of each one that is read."""

    def __init__(self, pack: Path, mirror: Path) -> None:
        self.mirror = mirror
        self.declared = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((pack / "sources").glob("*.yml"))}
        self.snapshots: list[dict[str, Any]] = []

    def of(self, source: str) -> list[tuple[dict[str, str], Path]]:
        """Return the variables and the file of each part; parts of one address are one file."""
        fetch = self.declared[source]["fetch"]
        parts = {k: [str(v) for v in values] for k, values in fetch.get("parts", {}).items() if "{" + k + "}" in fetch["url"]}
        found = []
        for values in itertools.product(*parts.values()):
            variables = dict(zip(parts, values, strict=True))
            url = urlsplit(fetch["url"].format(**variables))
            path = self.mirror / (url.hostname or "") / unquote(url.path).lstrip("/")
            content = path.read_bytes()
            self.snapshots.append(
                {
                    "source": source,
                    "part": ",".join(values),
                    "url": url.geturl(),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "bytes": len(content),
                }
            )
            found.append((variables, path))
        return found

    def ignored_codes(self, source: str) -> list[str]:
        """Return the codes that a source's `ignore` lists."""
        return re.findall(r"'(\d{6})'", self.declared[source]["read"]["ignore"])


def text(path: Path, separator: str, columns: list[str] | None = None, encoding: str = "utf8") -> pl.DataFrame:
    frame = pl.read_csv(path, separator=separator, infer_schema=False, columns=columns, encoding=encoding)
    return frame.rename({c: c.removeprefix(BOM) for c in frame.columns})


def sheet(path: Path) -> list[list[Any]]:
    return calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)


def long(frame: pl.DataFrame, measures: dict[str, pl.Expr], sex: str = "_T") -> pl.DataFrame:
    """Return the observations of wide rows that have ref_area, time_period and perhaps sex."""
    if "sex" not in frame.columns:
        frame = frame.with_columns(pl.lit(sex).alias("sex"))
    wide = frame.select("ref_area", "time_period", "sex", *(e.cast(pl.Float64).alias(m) for m, e in measures.items()))
    return wide.unpivot(list(measures), index=["ref_area", "time_period", "sex"], variable_name="measure", value_name="obs_value").select(
        OBSERVATION
    )


def territory(files: Files) -> dict[str, pl.DataFrame]:
    """Return areas, parents and codes."""
    lexikon = text(files.of("area_municipalities")[0][1], ";").filter(pl.col("ZUJ_Cislo") != "Celkem")
    points = text(files.of("area_points")[0][1], ";").filter(pl.col("Longitude") != "9999.999999").unique("Kód obce", maintain_order=True)
    regions = text(files.of("area_regions")[0][1], ";")
    bodies = pl.read_parquet(files.of("area_ico")[0][1], columns=["zuj", "ico"]).drop_nulls("zuj")
    land = pl.read_parquet(files.of("area_land")[0][1], columns=["KODOBCE", "U37_7"]).with_columns(
        pl.all().cast(pl.String).cast(pl.Float64)
    )
    land = land.select(pl.col("KODOBCE").cast(pl.Int64).cast(pl.String).alias("code"), (pl.col("U37_7") / 100).alias("area_km2"))
    rows = [r for r in sheet(files.of("area_districts")[0][1])[6:] if r[1] not in ("", None)]
    districts = pl.DataFrame({"code": [str(r[1]).removesuffix(".0") for r in rows], "okres": [r[0] for r in rows]})
    new = ["500101", "500127", "500135", "500151", "500160", "500194"]
    military = points.filter(pl.col("Kód obce") == "539996")
    base = pl.concat(
        [
            lexikon.select(pl.col("ZUJ_Cislo").alias("code"), pl.col("ZUJ_Nazev").alias("name"), pl.col("ORP_Cislo").alias("orp")),
            military.select(pl.col("Kód obce").alias("code"), pl.col("Obec").alias("name"), pl.lit("2120").alias("orp")),
        ]
    )
    where = points.select(
        pl.col("Kód obce").alias("code"), pl.col("Kód okresu").alias("_okres"), pl.col("Latitude").cast(pl.Float64).alias("lat"),
        pl.col("Longitude").cast(pl.Float64).alias("lon"),
    )  # fmt: skip
    lau = base.join(districts, on="code", how="left").join(where, on="code", how="left").join(land, on="code", how="left")
    lau = lau.with_columns(
        pl.coalesce("okres", "_okres").alias("okres"), ("CZ_" + pl.col("code")).alias("ref_area"), ("CZ_ORP_" + pl.col("orp")).alias("orp"),
        pl.when(pl.col("code").is_in(new)).then(pl.lit("2016-01-01")).otherwise(pl.lit("")).alias("valid_from"),
        pl.when(pl.col("code") == "539996").then(pl.lit("2016-01-01")).alias("valid_to"),
    )  # fmt: skip
    orp = lexikon.select(
        ("CZ_ORP_" + pl.col("ORP_Cislo")).alias("ref_area"), pl.col("ORP_Nazev").alias("name"), pl.col("Kraj_Cislo").alias("parent")
    ).unique("ref_area", maintain_order=True)
    okres = points.select(
        pl.col("Kód okresu").alias("ref_area"), pl.col("Okres").alias("name"), pl.col("Kód kraje").alias("parent")
    ).unique("ref_area", maintain_order=True)  # fmt: skip
    nuts3 = regions.select(pl.col("Kraj_Cislo").alias("ref_area"), pl.col("Kraj_Nazev").alias("name"), pl.lit("CZ").alias("parent"))
    levels = {"orp": orp, "okres": okres, "nuts3": nuts3, "nuts0": pl.DataFrame({"ref_area": ["CZ"], "name": ["Česko"]})}
    areas = pl.concat(
        [lau.with_columns(pl.lit("lau").alias("level")), *(f.with_columns(pl.lit(n).alias("level")) for n, f in levels.items())],
        how="diagonal",
    ).select(
        "ref_area", "level", "name", pl.lit("CZ").alias("country"), "lat", "lon", "area_km2", pl.col("valid_from").fill_null(""), "valid_to"
    )
    parents = pl.concat(
        [lau.select("ref_area", pl.col(c).alias("parent")) for c in ("orp", "okres")]
        + [f.select("ref_area", "parent") for f in (orp, okres, nuts3)]
    ).drop_nulls()
    codes = pl.concat(
        [
            lau.select(pl.lit("cz_obec").alias("scheme"), "code", "ref_area"),
            bodies.select(pl.lit("ico").alias("scheme"), pl.col("ico").alias("code"), ("CZ_" + pl.col("zuj")).alias("ref_area")),
        ]
    )
    return {"areas": areas, "area_parents": parents, "area_codes": codes}


def observations(files: Files, codes: pl.DataFrame) -> pl.DataFrame:
    """Return every observation of the pack: one row a measure, area, period and sex."""
    found = [_population(files), _planning(files), _budgets(files, codes), _exclusion(files), *_elections(files), _turnout(files)]
    waste = text(files.of("clothing_waste")[0][1], ";", None).filter(
        (pl.col("Indikator") == "Produkce") & (pl.col("Evident_TypSubjektu") == "4")
    )
    waste = waste.group_by(pl.col("Evident_ZUJ_Cislo").alias("code")).agg(pl.col("Mnozstvi").str.replace(",", ".").cast(pl.Float64).sum())
    found.append(long(_placed(waste, "2021"), {"clothing_collected_t": pl.col("Mnozstvi")}))
    found += [_notices(files), _members(files, codes)]
    return pl.concat(found)


def _members(files: Files, codes: pl.DataFrame) -> pl.DataFrame:
    """Return 1 for each municipality of a metropolitan area and 0 for any other, in every year from the first one of the register."""
    members = pl.read_parquet(files.of("metropolitan_areas")[0][1], columns=["zuj"])["zuj"].cast(pl.Int64).cast(pl.String)
    places = codes.filter(pl.col("scheme") == "cz_obec").select(
        "ref_area", pl.col("code").is_in(members.implode()).cast(pl.Float64).alias("is")
    )
    years = pl.DataFrame({"time_period": [str(year) for year in range(2021, date.today().year + 1)]})
    return long(places.join(years, how="cross"), {"metropolitan_members": pl.col("is")})


def _placed(frame: pl.DataFrame, period: str) -> pl.DataFrame:
    return frame.with_columns(("CZ_" + pl.col("code")).alias("ref_area"), pl.lit(period).alias("time_period"))


def _population(files: Files) -> pl.DataFrame:
    found = []
    for variables, path in files.of("csu_population"):
        rows = [r for r in sheet(path)[6:] if r[1] not in ("", None)]
        code = [str(r[1]).removesuffix(".0") for r in rows]
        for sex, persons, age in (("_T", 3, 6), ("M", 4, 7), ("F", 5, 8)):
            values = {"n": [float(r[persons]) for r in rows], "age": [float(r[age]) if r[age] not in ("", None, 0) else None for r in rows]}
            frame = _placed(pl.DataFrame({"code": code, **values}), variables["year"])
            found.append(long(frame, {"population": pl.col("n"), "mean_age": pl.col("age")}, sex))
    return pl.concat(found)


def _planning(files: Files) -> pl.DataFrame:
    names = {
        "residents_0_14": "U2a_4", "residents_15_64": "U2a_5", "residents_65_plus": "U2a_6", "ageing_index_reported": "U37_6", "births": "U37_1",
        "deaths": "U37_2", "net_migration_persons": "U1_3", "job_seekers_available": "U8_2", "land_total_ha": "U37_7", "land_arable_ha": "U37_9",
        "land_forest_ha": "U37_16", "land_built_up_ha": "U37_18", "arrivals": "U37_3", "departures": "U37_4", "dwellings_completed": "U11_1",
        "family_house_dwellings": "U11_2", "land_agricultural_ha": "U37_8", "land_grass_ha": "U37_14", "land_water_ha": "U37_17",
    }  # fmt: skip
    sums = {
        "land_stable_ha": ["U37_11", "U37_12", "U37_13", "U37_14", "U37_16", "U37_17"],
        "land_unstable_ha": ["U37_9", "U37_10", "U37_18", "U37_19"],
        "land_artificial_ha": ["U37_18", "U37_19"],
    }
    frame = pl.read_parquet(files.of("csu_planning")[0][1], columns=list({"KODOBCE", *names.values(), *itertools.chain(*sums.values())}))
    frame = frame.with_columns(pl.all().cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False))
    frame = _placed(frame.with_columns(pl.col("KODOBCE").cast(pl.Int64).cast(pl.String).alias("code")), "2020")
    totals = {measure: pl.sum_horizontal(*columns, ignore_nulls=False) for measure, columns in sums.items()}
    beds = pl.read_parquet(files.of("accommodation")[0][1], columns=["KODOBCE", "U17_2"]).select(
        pl.col("KODOBCE").cast(pl.Int64).cast(pl.String).alias("code"),
        pl.col("U17_2").str.replace_all(",", "").cast(pl.Float64, strict=False),
    )
    return pl.concat(
        [
            long(frame, {**{m: pl.col(c) for m, c in names.items()}, **totals}),
            long(_placed(beds, "2020"), {"accommodation_beds": pl.col("U17_2")}),
        ]
    )


def _budgets(files: Files, codes: pl.DataFrame) -> pl.DataFrame:
    frame = pl.read_parquet(files.of("monitor_budgets")[0][1]).filter(pl.col("scenario") == "R").unique(["per_yr", "ico"])
    frame = frame.join(codes.filter(pl.col("scheme") == "ico"), left_on="ico", right_on="code")
    frame = frame.with_columns(pl.col("per_yr").cast(pl.Float64).cast(pl.Int64).cast(pl.String).alias("time_period"))
    names = {
        "budget_revenue": "rozp_p_celkem", "budget_expenditure": "rozp_v_celkem", "capital_expenditure": "rozp_v_kap",
        "revenue_mean_4_years": "prijmy_last4", "debt": "dluh", "transfers_received": "rozp_p_transfers", "non_tax_revenue": "rozp_p_non_tax",
        "revenue_3_years_before": "p3", "liabilities": "cizi_zdroje_netto", "assets": "aktiva_brutto", "current_assets": "obezna_aktiva",
        "current_liabilities": "kratkodobe_zavazky",
    }  # fmt: skip
    return long(frame, {**{m: pl.col(c) for m, c in names.items()}, "tax_revenue": pl.col("rozp_p_rud") + pl.col("rozp_p_other_tax")})


def _exclusion(files: Files) -> pl.DataFrame:
    spec = {name: column["from"] for name, column in files.declared["social_exclusion"]["columns"].items()}
    head, *rows = sheet(files.of("social_exclusion")[0][1])
    at = {name: [str(h).strip() for h in head].index(title) for name, title in spec.items()}
    rows = [r for r in rows if r[at["kod"]] not in ("", None)]
    values = {n: [float(r[i]) if isinstance(r[i], int | float) else None for r in rows] for n, i in at.items() if n != "kod"}
    frame = _placed(pl.DataFrame({"code": [str(r[at["kod"]]).removesuffix(".0") for r in rows], **values}), "2023")
    share = {"execution_rate": pl.col("exekuce_podil") / 100, "long_job_seekers_rate": pl.col("uchazeci_podil") / 100}
    plain = {
        "residents_15_plus": "od_15",
        "residents_15_64": "od_15_do_64",
        "social_exclusion_points": "body",
        "housing_benefits": "bydleni",
    }
    schools = {"early_school_leavers": pl.col("predcasne").fill_null(0), "school_leavers": pl.col("zaci").fill_null(0)}
    return long(frame, {**share, **{m: pl.col(c) for m, c in plain.items()}, "subsistence_benefits": pl.col("zivobyti"), **schools})


def _elections(files: Files) -> list[pl.DataFrame]:
    """Candidates by sex, lists and seats."""
    key = ["KODZASTUP", "COBVODU", "POR_STR_HL", "PORCISLO"]
    people = [
        text(path, "\t", [*key, "VEK", "PLATNOST", "POHLAVI", "PSTRANA"]).with_columns(pl.lit(v["year"]).alias("time_period"))
        for v, path in files.of("council_candidates")
    ]
    rows = pl.concat(people).filter(
        ~pl.col("KODZASTUP").is_in(files.ignored_codes("council_candidates")) & pl.col("PLATNOST").is_in(["A", "0"])
    )
    rows = rows.unique([*key, "time_period"]).with_columns(("CZ_" + pl.col("KODZASTUP")).alias("ref_area"), pl.col("VEK").cast(pl.Int64))
    counts = [
        pl.len().alias("candidates"),
        (pl.col("VEK") < 35).sum().alias("candidates_under_35"),
        (pl.col("VEK") >= 65).sum().alias("candidates_65_plus"),
        (pl.col("PSTRANA") == "99").sum().alias("candidates_without_party"),
        (pl.col("PORCISLO") == "1").sum().alias("list_leaders"),
    ]
    everyone = rows.group_by("ref_area", "time_period").agg(*counts).with_columns(pl.lit("_T").alias("sex"))
    names = ("candidates", "candidates_under_35", "candidates_65_plus", "candidates_without_party", "list_leaders")
    each = [
        everyone.select("ref_area", "time_period")
        .join(
            rows.filter(pl.col("POHLAVI") == sex).group_by("ref_area", "time_period").agg(*counts),
            on=["ref_area", "time_period"],
            how="left",
        )
        .with_columns(pl.lit(sex).alias("sex"), *(pl.col(n).fill_null(0) for n in names))
        for sex in ("M", "F")
    ]
    columns = ["ref_area", "time_period", "sex", *names]
    candidates = pl.concat([frame.select(columns) for frame in (everyone, *each)])
    lists = []
    for variables, path in files.of("candidate_lists"):
        frame = text(path, "\t", ["KODZASTUP", "COBVODU", "POR_STR_HL"]).filter(pl.col("COBVODU") == "1")
        frame = frame.filter(~pl.col("KODZASTUP").is_in(files.ignored_codes("candidate_lists"))).unique()
        lists.append(_placed(frame.group_by(pl.col("KODZASTUP").alias("code")).len(), variables["year"]))
    seats = []
    for variables, path in files.of("council_seats"):
        frame = text(path, "\t", ["TYPZASTUP", "KODZASTUP", "MANDATY"]).filter(pl.col("TYPZASTUP") == "1").unique("KODZASTUP")
        seats.append(_placed(frame.rename({"KODZASTUP": "code"}), variables["year"]))
    return [
        long(candidates, {m: pl.col(m) for m in names}),
        long(pl.concat(lists), {"candidate_lists": pl.col("len")}),
        long(pl.concat(seats), {"council_seats": pl.col("MANDATY")}),
    ]


def _turnout(files: Files) -> pl.DataFrame:
    """The elections of 2021, without the cities of which the file has only some districts."""
    of_cities = text(files.of("area_city_districts")[0][1], ",", encoding="windows-1250").rename({"CHODNOTA1": "OBEC", "CHODNOTA2": "city"})
    frame = text(files.of("turnout")[0][1], ";").join(of_cities.select("OBEC", "city"), on="OBEC", how="left")
    frame = frame.filter(pl.col("city").is_null() | (pl.col("city") == "554791"))
    sums = frame.group_by(pl.coalesce("city", "OBEC").alias("code")).agg(
        pl.col("VOL_SEZNAM_2021_SUM", "PL_HL_CELK_2021_SUM").cast(pl.Float64).sum()
    )
    names = {"voters_parliament": pl.col("VOL_SEZNAM_2021_SUM"), "votes_parliament": pl.col("PL_HL_CELK_2021_SUM")}
    return long(_placed(sums, "2021"), names)


def _notices(files: Files) -> pl.DataFrame:
    """Notices by region and year of posting; the region is known by the body's number, which the declaration lists."""
    listed = json.dumps(files.declared["area_regions"]["map"], ensure_ascii=False)
    region = {ico: code for code, ico in re.findall(r"when '(CZ\d{3})' then '(\d{8})'", listed)}
    boards = json.loads(files.of("notice_boards")[0][1].read_bytes())
    counts = {(code, year): 0 for code in set(region.values()) for year in ("2023", "2024")}
    for board in boards:
        code = region.get(board["provozovatel"]["ičo"])
        for notice in board.get("informace", []):
            place = (code, str(notice["vyvěšení"].get("datum_a_čas") or notice["vyvěšení"].get("datum") or "")[:4])
            if place in counts:
                counts[place] += 1  # type: ignore[index]
    rows = [("notices_posted", code, year, "_T", float(n)) for (code, year), n in sorted(counts.items())]
    return pl.DataFrame(rows, schema=OBSERVATION, orient="row")

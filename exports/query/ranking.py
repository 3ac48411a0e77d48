"""Questions about order: places within a territory by value, places in an index, and the places most like a place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal

from exports.query import cells, search, texts, values
from exports.query.answers import Cell, IndexAnswer, IndexPlace, Peer, PeersAnswer, RankAnswer, RankedPlace
from exports.query.errors import QueryError
from exports.query.folding import fold
from exports.query.release import Area, Indicator, PublishedRelease, Row
from pipelines.core.sql import identifier, literal
from pipelines.core.vocabulary import STATUSES, TOTAL

SHOWN_UNRANKED = 20
SCORES = frozenset({"index", "component", "ref_area", "time_period", "score", "rank", "rank_low", "rank_high", "fifth", "obs_status"})
"""The columns by which a table of scores of indices is known."""
Order = Literal["highest", "lowest"]


def rank(
    release: PublishedRelease, indicator: str, *, within: str | None = None, level: str | None = None, period: str | None = None,
    order: Order = "highest", place: str | None = None, sex: str = TOTAL, age: str = TOTAL, limit: int = 10, offset: int = 0,
    language: str | None = None,
) -> RankAnswer:  # fmt: skip
    """Return the places of a level in a territory, ordered by value; by default those of the state. Raises QueryError.

    Without `level`, the places are those of the largest level below the territory for which the indicator has values.
    """
    language = release.language(language)
    subject = search.indicator(release, indicator, language)
    cells.check_breakdown(release, subject, sex, age, language)
    territory = release.top if within is None else search.place(release, within, None, language)
    chosen = None if place is None else search.place(release, place, level, language)
    inside = [release.areas[code] for code in sorted(release.inside(territory.code))]
    level = _level(release, subject, territory, inside, chosen.level if chosen and level is None else level, language)
    members = [area for area in inside if area.level == level]
    if chosen is not None and chosen not in members:
        parts = {"place": f"{chosen.code} {chosen.name}", "level": level, "within": territory.name}
        raise QueryError(texts.text("not_within", language, **parts))
    when = cells.period_of(subject, [level], period, language)
    rows = cells.read(release, subject, [area.code for area in members], sex, age, when or "")
    shown = [cells.cell(release, subject, area, (when, sex, age), rows.get((area.code, when or "")), language) for area in members]
    ranked = _ordered(release, [c for c in shown if c.value is not None], order)
    unranked = [c for c in shown if c.value is None]
    notes = [texts.text("no_direction", language)] if subject.row["direction"] == "none" else []
    if subject.depends_on_size:
        notes.append(texts.text("depends_on_size", language))
    if any(r.position_low is not None for r in ranked):
        notes.append(texts.text("chance", language))
    used = [values.sources_of(subject, rows.get((area.code, when or ""))) for area in members]
    return RankAnswer(
        release=release.about, language=language, attribution=release.attribution(used), notes=notes, indicator=subject.facts(language),
        within=territory.short, level=level, period=when, order=order, ranked=ranked[offset : offset + limit], with_value=len(ranked),
        without_value=len(unranked), unranked=unranked[:SHOWN_UNRANKED],
        place=next((r for r in ranked if chosen is not None and r.cell.place.code == chosen.code), None),
        next_offset=offset + limit if offset + limit < len(ranked) else None,
    )  # fmt: skip


def _level(
    release: PublishedRelease, indicator: Indicator, territory: Area, inside: Sequence[Area], asked: str | None, language: str
) -> str:
    """Return the level of the places to order. Raises QueryError if the territory has none of the level, or the indicator no such level."""
    present = [level for level in release.levels if any(area.level == level for area in inside)]
    if asked is not None:
        asked = search.known_level(release, asked, language)
    usable = [level for level in present if level in indicator.published] or present
    if not usable or (asked is not None and asked not in present):
        parts = {"place": f"{territory.code} {territory.name}", "level": asked or "", "levels": ", ".join(present) or "–"}
        raise QueryError(texts.text("nothing_within", language, **parts))
    if asked is not None and indicator.published and asked not in indicator.published:
        parts = {"title": indicator.title(language), "level": asked, "levels": ", ".join(indicator.published), "above": ""}
        raise QueryError(texts.text("no_level", language, **parts))
    return asked or usable[0]


def _ordered(release: PublishedRelease, shown: Sequence[Cell], order: Order) -> list[RankedPlace]:
    """Return cells with values in order, with the positions that their 95 % intervals allow if all have one."""
    sign = -1 if order == "highest" else 1
    sorted_cells = sorted(
        ((sign * (c.value or 0.0), release.areas[c.place.code].folded, c.place.code, c) for c in shown), key=lambda t: t[:3]
    )
    keys = [key for key, *_ in sorted_cells]
    ends = [sorted((sign * c.interval.lower_95, sign * c.interval.upper_95)) for *_, c in sorted_cells if c.interval]
    chance = len(ends) == len(sorted_cells) and len(sorted_cells) > 0
    best, worst = sorted(low for low, _ in ends), sorted(high for _, high in ends)
    ranked = []
    for n, (key, *_, c) in enumerate(sorted_cells):
        low = 1 + bisect_left(worst, ends[n][0]) if chance else None
        high = bisect_right(best, ends[n][1]) if chance else None
        ranked.append(RankedPlace(position=1 + bisect_left(keys, key), position_low=low, position_high=high, cell=c))
    return ranked


# ------------------------------------------------------------------------------------------------------------------ indices


def index(
    release: PublishedRelease, index: str, *, component: str | None = None, within: str | None = None, place: str | None = None,
    period: str | None = None, limit: int = 10, offset: int = 0, language: str | None = None,
) -> IndexAnswer:  # fmt: skip
    """Return places in an index: by rank if its ranks hold, else by fifths, without scores and ranks. Raises QueryError."""
    language = release.language(language)
    about = _index(release, index, language)
    scores = _scores(release, about["index"])
    components = sorted({row["component"] for row in scores})
    component = about["index"] if component is None else component.strip()
    if component not in components:
        parts = {"index": about["index"], "component": texts.echo(component), "components": ", ".join(components)}
        raise QueryError(texts.text("unknown_component", language, **parts))
    periods = sorted({row["time_period"] for row in scores})
    if period is not None and period not in periods:
        parts = {"title": about["index"], "period": texts.echo(period), "level": about["level"], "periods": cells.listed(periods)}
        raise QueryError(texts.text("no_period", language, **parts))
    when = period or periods[-1]
    kept = [row for row in scores if row["component"] == component and row["time_period"] == when and row["ref_area"] in release.areas]
    if place is not None:
        code = search.place(release, place, about["level"], language).code
        kept = [row for row in kept if row["ref_area"] == code]
    if within is not None:
        inside = release.inside(search.place(release, within, None, language).code)
        kept = [row for row in kept if row["ref_area"] in inside]
    rankable = about["rankable"] == "true"
    shown = [_index_place(release, row, rankable, language) for row in kept]
    shown.sort(key=lambda p: (p.fifth or 6, p.rank or 10**9, release.areas[p.place.code].folded, p.place.code))
    note = about.get(f"note_{language}") or about.get("note_en")
    sources = release.rows(
        f"select distinct i.sources from index_components c inner join indicators i using (indicator) where c.index = {literal(about['index'])}"
        if release.has("index_components")
        else "select null as sources"
    )
    return IndexAnswer(
        release=release.about, language=language, attribution=release.attribution([row["sources"] for row in sources]),
        notes=[*([note] if note else []), texts.text("rank_whole", language)], index=about["index"], component=component,
        title=_title(about, language), level=about["level"], rankable=rankable, places=shown[offset : offset + limit], total=len(shown),
        next_offset=offset + limit if offset + limit < len(shown) else None,
    )  # fmt: skip


def _index(release: PublishedRelease, asked: str, language: str) -> Row:
    rows = release.rows("select * from indices order by index") if release.has("indices") else []
    wanted = fold(asked)
    for row in rows:
        if wanted in {fold(row["index"]), *(fold(v) for k, v in row.items() if k.startswith("title_") and v)}:
            return row
    indices = ", ".join(f"{row['index']} ({_title(row, language)})" for row in rows) or "–"
    raise QueryError(texts.text("unknown_index", language, index=texts.echo(asked), indices=indices))


def _title(row: Row, language: str) -> str:
    return str(row.get(f"title_{language}") or row.get("title_en") or row["index"])


def _scores(release: PublishedRelease, index: str) -> list[Row]:
    tables = [name for name, columns in release.columns.items() if set(columns) >= SCORES]
    sql = " union all by name ".join(f"select * from {identifier(name)} where index = {literal(index)}" for name in tables)
    rows = release.rows(f"from ({sql}) order by time_period, component, ref_area") if tables else []
    if not rows:
        raise QueryError(texts.text("no_table", release.languages[0], table=index))
    return rows


def _index_place(release: PublishedRelease, row: Row, rankable: bool, language: str) -> IndexPlace:
    status = row["obs_status"]
    has_value = status in STATUSES and STATUSES[status].has_value and row["score"] is not None
    held = rankable and has_value
    return IndexPlace(
        place=release.areas[row["ref_area"]].short, period=row["time_period"], fifth=row["fifth"] if has_value else None,
        rank=row["rank"] if held else None, rank_low=row["rank_low"] if held else None, rank_high=row["rank_high"] if held else None,
        score=row["score"] if held else None, status=status, status_text=texts.status(status, language),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------------- peers


def peers(
    release: PublishedRelease, place: str, indicator: str | None = None, *, period: str | None = None, level: str | None = None,
    language: str | None = None,
) -> PeersAnswer:  # fmt: skip
    """Return the places most like a place, with their values if an indicator is asked for. Raises QueryError."""
    language = release.language(language)
    area = search.place(release, place, level, language)
    rows = release.rows(f"select * from peers where ref_area = {literal(area.code)} order by position") if release.has("peers") else []
    rows = [row for row in rows if row["peer"] in release.areas]
    if not rows:
        raise QueryError(texts.text("no_peers", language, place=f"{area.code} {area.name}"))
    notes = [*values.gone(area, language)]
    own_cell, comparison, of_peers, used = None, None, {}, []
    if indicator is not None:
        subject, _ = values.asked(release, indicator, area.code, None, TOTAL, TOTAL, language)
        when = cells.period_of(subject, [area.level], period, language)
        read = cells.read(release, subject, [area.code, *(row["peer"] for row in rows)])
        key = (when, TOTAL, TOTAL)
        own_cell = values.one(release, subject, area, key, read, language)
        of_peers = {row["peer"]: values.one(release, subject, release.areas[row["peer"]], key, read, language) for row in rows}
        compared, more = cells.comparisons(release, subject, {area.code: own_cell}, language)
        comparison = next((c for c in compared.get(area.code, ()) if c.against == cells.PEERS), None)
        notes += more
        used = [values.sources_of(subject, row) for (_, p), row in read.items() if p == when] or [values.sources_of(subject, None)]
    return PeersAnswer(
        release=release.about, language=language, attribution=release.attribution(used), notes=notes, place=release.place(area.code),
        peers=[
            Peer(position=r["position"], place=release.areas[r["peer"]].short, distance=r["distance"], cell=of_peers.get(r["peer"])) for r in rows
        ],
        cell=own_cell, comparison=comparison,
    )  # fmt: skip

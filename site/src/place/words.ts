// Words of the place page that depend on numbers and levels.
import { type Areas } from "../core/areas";
import type { Value } from "../core/data";
import { interval, isOlder, number, period, shortUnit, signed, valueText, withUnit } from "../core/format";
import { levelCount } from "../core/levels";
import { hasText, t } from "../core/texts";
import { type Measurement, type Place, type Position, type Row, before, change, isCount } from "./model";

/** A number after "of": "of 115", "z 10", "ze 115". */
export function ofNumber(n: number): string {
  return t(needsVowel(n) ? "place.of_vowel" : "place.of", { number: number(n) });
}

/** Whether the Czech and Slovak word for "of" has a vowel before a number, which depends on how the number is spoken. */
export function needsVowel(n: number): boolean {
  if (n >= 2000) return needsVowel(Math.floor(n / 1000));
  if (n >= 1000) return false;
  if (n >= 100) return [1, 2, 3, 4, 6, 7].includes(Math.floor(n / 100));
  if (n >= 20) return [4, 6, 7].includes(Math.floor(n / 10));
  return [2, 3, 4, 6, 7, 14, 16, 17].includes(n);
}

/** The areas above a place, from the nearest to the highest. */
export const aboveOf = (place: Place, areas: Areas): number[] => (place.parent === null ? [] : [place.parent, ...areas.above(place.parent)]);

/** Areas of a level after a number of them: "obcí", "municipalities". */
export const many = (level: string): string => (hasText(`place.many_${level}`) ? t(`place.many_${level}`) : t("place.many"));

/** Similar places together, as a name: "podobné obce", "similar places". */
export const peersName = (level: string): string => (hasText(`place.peers_${level}`) ? t(`place.peers_${level}`) : t("place.peers"));

/** The areas around a place: "obcí okresu", "municipalities of the district". */
export function around(place: Place, areas: Areas): string {
  if (place.parent === null) return many(place.level);
  const above = areas.level(place.parent).level;
  const key = `place.inside_${above}`;
  return hasText(key) ? t("place.many_inside", { many: many(place.level), inside: t(key) }) : t("place.many_named", { many: many(place.level), name: areas.name(place.parent) });
}

/** A number of areas around a place: "3 okresy kraje", "115 municipalities of the district". */
export function countAround(place: Place, areas: Areas, n: number): string {
  const count = levelCount(areas.level(place.area), n);
  if (place.parent === null) return count;
  const key = `place.inside_${areas.level(place.parent).level}`;
  return hasText(key) ? t("place.many_inside", { many: count, inside: t(key) }) : t("place.many_named", { many: count, name: areas.name(place.parent) });
}

/** A value with all of its unit: "1,96 (dávky na 100 obyvatel)". */
export const fullValue = (value: Value, row: Row): string =>
  shortUnit(row.about.unit) || !row.about.unit || row.about.title.toLocaleLowerCase().includes(row.about.unit.toLocaleLowerCase()) ? valueText(value, row.about) : t("place.value_unit", { value: number(value, row.about.decimals), unit: row.about.unit });

export const intervalText = ({ lower, upper }: Measurement, row: Row): string => interval(lower, upper, row.about);

/** "2022", "2020 · older data". */
export function periodText(row: Row, released: string): string {
  return isOlder(row.period, released) ? `${period(row.period)} · ${t("common.older")}` : period(row.period);
}

/**
 * "higher than 52 of 115 municipalities of the district and 4 of 10 similar", "lower than each of the other 113 municipalities of the district;
 * lowest, equal to 2 of 10 similar"; null where there are none to compare with.
 */
export function positionText(row: Row, place: Place, areas: Areas): string | null {
  const parts: { side: Side; text: string }[] = [];
  if (row.among) parts.push({ side: sideOf(row.among), text: amongText(row.among, place, areas) });
  if (row.amongPeers) parts.push({ side: sideOf(row.amongPeers), text: amongPeersText(row.amongPeers) });
  const [first, second] = parts;
  if (!first) return null;
  const texts = second?.side === first.side ? [sideText(first.side, t("place.and", { first: first.text, second: second.text }))] : parts.map(({ side, text }) => sideText(side, text));
  if (row.withoutValue) texts.push(t("place.without_value", { n: row.withoutValue }));
  return texts.join("; ");
}

type Side = "higher" | "lower" | "lowest" | "equal";

/** What a position says: higher than some or all, lower than all, none is lower but some are equal, all are equal. */
const sideOf = ({ below, equal, others }: Position): Side => (below > 0 ? "higher" : equal === 0 ? "lower" : equal === others ? "equal" : "lowest");

const sideText = (side: Side, text: string): string =>
  ({ higher: t("place.higher_than", { text }), lower: t("place.lower_than", { text }), lowest: t("place.lowest_with", { text }), equal: t("place.equal_to", { text }) })[side];

/** Whether a position is one to all of the others. */
const isToAll = ({ below, equal, others }: Position): boolean => below === others || equal === others || below + equal === 0;

const amongText = (position: Position, place: Place, areas: Areas): string =>
  isToAll(position)
    ? t("place.all_around", { n: position.others, areas: countAround(place, areas, position.others) })
    : t("place.k_of_n_around", { k: position.below || position.equal, of: ofNumber(position.others), many: around(place, areas) }) + equalText(position);

const amongPeersText = (position: Position): string =>
  isToAll(position) ? t("place.all_similar", { n: position.others }) : t("place.k_of_n_similar", { k: position.below || position.equal, of: ofNumber(position.others) }) + equalText(position);

const equalText = ({ below, equal }: Position): string => (below && equal ? ` ${t("place.equal", { equal })}` : "");

/** What the small series shows, in short lines. */
export function seriesLines(row: Row): string[] {
  const measured = row.series.filter((point) => point.value !== null);
  if (measured.length === 0) return [];
  if (row.value === null) return [t("place.last_known", { period: period(measured.at(-1)!.period), value: valueText(measured.at(-1)!.value, row.about) })];
  if (measured.length === 1) return [t("place.only", { period: period(measured[0]!.period) })];
  const first = measured[0]!;
  const lines = [t("place.first_value", { period: period(first.period), value: number(first.value, row.about.decimals) })];
  const breaks = row.series.filter((point) => point.status === "B" && point.period > first.period);
  const trend = trendText(row);
  const changed = change(row);
  if (trend) lines.push(trend);
  else if (changed && (changed !== "broken" || breaks.length === 0)) lines.push(changeText(row, changed, measured.length > 2));
  if (breaks.length) lines.push(t("place.break", { periods: spans(breaks.map((point) => point.period)) }));
  return lines;
}

function changeText(row: Row, changed: "risen" | "fallen" | "uncertain" | "broken", named: boolean): string {
  const words = { risen: t("place.risen"), fallen: t("place.fallen"), uncertain: t("place.uncertain"), broken: t("place.broken") }[changed];
  return named ? t("place.since", { period: period(before(row)!.point.period), change: words }) : words;
}

function trendText({ trend }: Row): string | null {
  if (!trend) return null;
  const words = trend.trend === "increasing" ? t("place.increasing") : trend.trend === "decreasing" ? t("place.decreasing") : t("place.steady");
  return t("place.trend", { first: period(trend.first), last: period(trend.last), trend: words });
}

/** Years as runs: "2022–2024". */
function spans(periods: string[]): string {
  const runs: string[][] = [];
  for (const year of periods) {
    const last = runs.at(-1);
    if (last && Number(year) === Number(last.at(-1)) + 1) last.push(year);
    else runs.push([year]);
  }
  return runs.map((run) => (run.length > 1 ? `${run[0]}–${run.at(-1)}` : period(run[0]!))).join(", ");
}

/** The change since the period before, with its sign; only where intervals say that there was one. */
export function changeSize(row: Row): { key: "risen" | "fallen"; size: string; period: string } | null {
  const changed = change(row);
  if (changed !== "risen" && changed !== "fallen") return null;
  const former = before(row)!.point;
  const text = signed(row.value! - former.value!, row.about.decimals);
  const unit = row.about.unit === "%" ? t("common.points") : shortUnit(row.about.unit);
  return { key: changed, size: withUnit(text, unit), period: period(former.period) };
}

/** Why there is no value, in a sentence. */
export function reason(status: string, supplier: string): string {
  const key = `status.${status}`;
  if (status === "O" && !supplier) return t("status.O_unknown");
  return hasText(key) ? t(key, { supplier }) : t("status.none");
}

/** Words for what a place is not compared in. */
export const notComparedText = (row: Row): string | null => (isCount(row.about) ? t("place.count") : null);

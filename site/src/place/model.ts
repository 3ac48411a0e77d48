// What the page says about one area, taken out of the files of a bundle: one row per indicator that the release has at the level of the area.
import type { SparkPoint } from "../charts/Spark";
import { totalOf } from "../core/breakdowns";
import type { Above, Bundle, IndicatorMeta, Meta, Peers, PlaceBreakdown, PlaceIndexScore, PlaceIndicator, Positions, Value, Within, WithinMore } from "../core/data";

export interface Position {
  below: number;
  equal: number;
  others: number;
}

export interface Reference {
  /** Null where there is none. */
  value: Value;
  /** As in the table comparisons: better, worse, higher, lower, similar; a reason why it is not compared; null without intervals. */
  outcome: string | null;
  /** 99.8 or 95 per cent: the widest interval that the reference lies outside of. */
  significance: Value;
}

export interface Measurement {
  value: Value;
  status: string;
  lower: Value;
  upper: Value;
}

export interface Trend {
  first: string;
  last: string;
  trend: string;
  direction: string;
}

export interface Row extends Measurement {
  about: IndicatorMeta;
  /** The newest period in which the level has values. */
  period: string;
  numerator: Value;
  denominator: Value;
  series: SparkPoint[];
  women: Measurement | null;
  men: Measurement | null;
  /** Notes of the source on this value. */
  notes: string[];
  among: Position | null;
  amongPeers: Position | null;
  /** How many of the other areas with the same area above have no value. */
  withoutValue: number;
  above: { parent?: Above; country?: Above };
  country: Reference | null;
  peers: Reference | null;
  trend: Trend | null;
  others: Value[];
  peerValues: Value[];
}

export interface IndexScore {
  component: string;
  score: Value;
  fifth: Value;
  fifthLow: Value;
  fifthHigh: Value;
  available: Value;
  expected: Value;
  peerPercentile: Value;
  status: string;
}

export interface Index {
  index: string;
  period: string;
  scores: IndexScore[];
}

export interface Place {
  area: number;
  code: string;
  name: string;
  level: string;
  bundle: string;
  parent: number | null;
  peers: { area: number; code: string; name: string }[];
  /** How many other areas have the same area above. */
  around: number;
  rows: Row[];
  indices: Index[];
}

export interface PlaceFiles {
  bundle: Bundle;
  within: Within | null;
  peers: Peers | null;
}

/** The area with a number, or null if the bundle does not hold it. */
export function placeOf(meta: Meta, { bundle, within, peers }: PlaceFiles, area: number): Place | null {
  const at = bundle.areas.indexOf(area);
  if (at < 0) return null;
  const peerAreas = bundle.peers[at] ?? [];
  const indicators = new Map(meta.indicators.map((about) => [about.indicator, about]));
  const peerPositions = new Map((peers?.areas ?? []).map((peer, position) => [peer, position]));
  const rows: Row[] = [];
  for (const entry of bundle.indicators) {
    const about = indicators.get(entry.indicator);
    const row = about && rowOf(about, entry, at, bundle.level);
    if (!row) continue;
    Object.assign(row, aroundOf(row, area, within));
    const values = peers?.indicators[entry.indicator];
    row.peerValues = values ? peerAreas.map((peer) => values[peerPositions.get(peer) ?? -1] ?? null) : [];
    rows.push(row);
  }
  return {
    area,
    code: bundle.codes[at]!,
    name: bundle.names[at]!,
    level: bundle.level,
    bundle: bundle.bundle,
    parent: bundle.parent,
    peers: peerAreas.flatMap((peer) => {
      const position = peerPositions.get(peer);
      return position === undefined ? [] : [{ area: peer, code: peers!.codes[position]!, name: peers!.names[position]! }];
    }),
    around: within ? within.areas.filter((other) => other !== area).length : 0,
    rows,
    indices: bundle.indices.map(({ index, period, scores }) => ({ index, period, scores: scores.map((score) => scoreOf(score, at)) })),
  };
}

/** The values of the areas around a place in an indicator, and how many of them have none. */
function aroundOf({ about, among }: Row, area: number, within: WithinMore | null): Pick<Row, "others" | "withoutValue"> {
  const around = within?.indicators[about.indicator];
  return {
    others: around && within ? around.filter((_, position) => within.areas[position] !== area) : [],
    withoutValue: around && among ? Math.max(0, around.length - 1 - among.others) : 0,
  };
}

/** A place with the values of the areas around it in the indicators that are no headlines, which come later. */
export const withMore = (place: Place, more: WithinMore): Place => ({
  ...place,
  rows: place.rows.map((row) => (more.indicators[row.about.indicator] ? { ...row, ...aroundOf(row, place.area, more) } : row)),
});

function rowOf(about: IndicatorMeta, entry: PlaceIndicator, at: number, level: string): Row | null {
  const newest = entry.newest ?? about.newest[level] ?? null;
  const total = totalOf(entry.breakdowns);
  const now = newest === null ? -1 : entry.periods.indexOf(newest);
  if (!total || newest === null || now < 0) return null;
  const bySex = (sex: string) => {
    const breakdownOfSex = entry.breakdowns.find((breakdown) => breakdown.sex === sex && breakdown.age === total.age);
    return breakdownOfSex && breakdownOfSex !== total ? measurement(breakdownOfSex, at, now) : null;
  };
  return {
    about,
    period: newest,
    ...measurement(total, at, now),
    numerator: entry.numerator?.[at] ?? null,
    denominator: entry.denominator?.[at] ?? null,
    series: entry.periods.map((period, position) => ({ period, ...measurement(total, at, position) })),
    women: bySex("F"),
    men: bySex("M"),
    notes: (total.notes ?? []).filter((note) => note.period === now && note.areas.includes(at)).map((note) => note.note),
    among: position(entry.positions?.parent, at),
    amongPeers: position(entry.positions?.peers, at),
    withoutValue: 0,
    above: entry.above ?? {},
    country: reference(entry, "country", at),
    peers: reference(entry, "peers", at),
    trend: trendOf(entry, at),
    others: [],
    peerValues: [],
  };
}

const measurement = (breakdown: PlaceBreakdown, at: number, period: number): Measurement => ({
  value: breakdown.value[at]?.[period] ?? null,
  status: breakdown.status[at]?.[period] ?? ".",
  lower: breakdown.lower?.[at]?.[period] ?? null,
  upper: breakdown.upper?.[at]?.[period] ?? null,
});

function position(positions: Positions | undefined, at: number): Position | null {
  const below = positions?.below[at];
  const others = typeof positions?.others === "number" ? positions.others : positions?.others[at];
  return below === null || below === undefined || !others ? null : { below, equal: positions?.equal[at] ?? 0, others };
}

function reference(entry: PlaceIndicator, against: "country" | "peers", at: number): Reference | null {
  const compared = entry.comparisons?.[against];
  if (!compared || (compared.outcome[at] ?? null) === null) return null;
  return { value: compared.reference[at] ?? null, outcome: compared.outcome[at]!, significance: compared.significance[at] ?? null };
}

function trendOf(entry: PlaceIndicator, at: number): Trend | null {
  const trend = entry.trends?.trend[at];
  if (!trend) return null;
  return { first: entry.trends?.first[at] ?? "", last: entry.trends?.last[at] ?? "", trend, direction: entry.trends?.direction[at] ?? "" };
}

const scoreOf = (score: PlaceIndexScore, at: number): IndexScore => ({
  component: score.component,
  score: score.score[at] ?? null,
  fifth: score.fifth[at] ?? null,
  fifthLow: score.fifth_low?.[at] ?? null,
  fifthHigh: score.fifth_high?.[at] ?? null,
  available: score.n_available[at] ?? null,
  expected: score.n_expected[at] ?? null,
  peerPercentile: score.peer_percentile?.[at] ?? null,
  status: score.status[at] ?? ".",
});

/** Whether a place has no newest value at all, like one that ended. */
export const isEmpty = (place: Place): boolean => place.rows.every((row) => row.value === null);

/** Whether an indicator counts something, so that a larger place has more of it. */
export const isCount = (about: IndicatorMeta): boolean => about.group?.kind === "sum";

/** The last period before the newest one with a value, and whether a break lies between the two. */
export function before(row: Row): { point: SparkPoint; broken: boolean } | null {
  const now = row.series.findIndex((point) => point.period === row.period);
  for (let at = now - 1; at >= 0; at--)
    if (row.series[at]!.value !== null) return { point: row.series[at]!, broken: row.series.slice(at + 1, now + 1).some((point) => point.status === "B") };
  return null;
}

/** How the newest value changed since the one before: only intervals that do not touch say that it rose or fell. */
export function change(row: Row): "risen" | "fallen" | "uncertain" | "broken" | null {
  const former = before(row);
  if (!former || row.value === null) return null;
  if (former.broken) return "broken";
  const { lower, upper } = former.point;
  if (row.lower === null || row.upper === null || lower === null || lower === undefined || upper === null || upper === undefined) return null;
  return row.lower > upper ? "risen" : row.upper < lower ? "fallen" : "uncertain";
}

/** The two values that an indicator of change compares, from the row of the indicator that it is the change of; null where one is missing. */
export function changeOf({ about, period }: Row, rows: Row[]): { about: IndicatorMeta; from: SparkPoint; to: SparkPoint } | null {
  const of = about.change_of ? rows.find((row) => row.about.indicator === about.change_of) : undefined;
  if (!of || !about.change_years) return null;
  const earlier = `${Number(period.slice(0, 4)) - about.change_years}${period.slice(4)}`;
  const at = (time: string) => of.series.find((point) => point.period === time && point.value !== null);
  const [from, to] = [at(earlier), at(period)];
  return from && to ? { about: of.about, from, to } : null;
}

/** The middle of the values of similar places; null where fewer than three have one. */
export function middle(values: Value[]): Value {
  const present = values.filter((value): value is number => value !== null).sort((a, b) => a - b);
  if (present.length < 3) return null;
  const half = present.length >> 1;
  return present.length % 2 ? present[half]! : (present[half - 1]! + present[half]!) / 2;
}

/** Rows of an objective by topic, in the order of the pack; topics and rows without any are left out. */
export function byTopic(meta: Meta, rows: Row[]): { topic: string; title: string; rows: Row[] }[] {
  const groups = meta.topics.map(({ topic, title, indicators }) => {
    const order = new Map(indicators.map((indicator, at) => [indicator, at]));
    const at = (row: Row) => order.get(row.about.indicator) ?? -1;
    return { topic, title, rows: rows.filter((row) => row.about.topic === topic).sort((a, b) => at(a) - at(b)) };
  });
  groups.push({ topic: "", title: "", rows: rows.filter((row) => !meta.topics.some(({ topic }) => topic === row.about.topic)) });
  return groups.filter((group) => group.rows.length > 0);
}

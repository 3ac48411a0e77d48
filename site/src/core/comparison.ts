// One indicator in several places, in the same period, with the value of a group of places and of the country.
import type { Above, Bundle, IndicatorMeta, Newest, PlaceBreakdown, Value } from "./data";
import { type Counted, type GroupSums, groupSums, intervalKind } from "./statistics";

/** What is read of the values of an indicator in some areas: all periods, or only the newest one. */
interface Entry {
  indicator: string;
  newest: string | null;
  periods: string[];
  breakdowns: Pick<PlaceBreakdown, "value" | "status" | "lower" | "upper" | "notes">[];
  numerator?: Value[];
  denominator?: Value[];
  above?: { country?: Omit<Above, "area"> };
  last?: Record<string, string>;
}

export interface Values {
  areas: number[];
  indicators: Entry[];
}

/** All values of a bundle. */
export const allValues = (bundle: Bundle): Values => bundle;

/** The newest values of a bundle. */
export function newestValues({ areas, indicators }: Newest): Values {
  const column = (values: Value[] | undefined) => values?.map((value) => [value]);
  return {
    areas,
    indicators: indicators.map(({ value, status, lower, upper, notes, country, ...entry }) => ({
      ...entry,
      periods: [entry.newest],
      breakdowns: [{ value: column(value)!, status: [...status], lower: column(lower), upper: column(upper), notes: notes?.map((note) => ({ ...note, period: 0 })) }],
      above: { country },
    })),
  };
}

/** A place and the file that has its values. */
export interface Chosen {
  area: number;
  code: string;
  /** Its name, with the area above where two chosen places have the same name. */
  name: string;
  level: string;
  values: Values;
}

export interface Row extends Counted {
  place: Chosen;
  status: string;
  /** The id of the text that says why there is no value, or what to know about it. */
  note: string | null;
  /** The last period in which this place has a value. */
  newest: string | null;
}

/** The value of a group and its interval, rounded to the decimals of the indicator like those of places. */
export interface GroupRow extends GroupSums {
  status: string;
  members: Counted[];
}

/** Why a group has no value: its members, or the indicator. */
export type NoGroup = { reason: "rule" | "levels" | "period" } | { reason: "members"; names: string[] };

export interface Reference {
  status: string;
  value: Value;
  lower: Value;
  upper: Value;
}

export interface Comparison {
  indicator: IndicatorMeta;
  period: string;
  rows: Row[];
  group: GroupRow | NoGroup | null;
  country: Reference | null;
}

/** The order of statuses when values are joined: the last one is that of the group. */
const RANK = "APIEB";

const entriesOf = new WeakMap<Chosen["values"], Map<string, Entry>>();

function entryOf({ values }: Chosen, indicator: string): Entry | undefined {
  let entries = entriesOf.get(values);
  if (!entries) entriesOf.set(values, (entries = new Map(values.indicators.map((entry) => [entry.indicator, entry]))));
  return entries.get(indicator);
}

/**
 * Compare an indicator in the newest period that all places have: the earliest of the newest periods of their levels. Null if no place has a row.
 * `members` are the places of the group, null for none. `hasCountry` says whether all places lie in the same country.
 */
export function compare(indicator: IndicatorMeta, places: Chosen[], members: Chosen[] | null, hasCountry: boolean): Comparison | null {
  const entries = [...places, ...(members ?? [])].map((place) => entryOf(place, indicator.indicator)).filter((entry) => entry?.newest);
  if (entries.length === 0) return null;
  const newest = [...new Set(entries.map((entry) => entry!.newest!))].sort();
  const period = newest.find((candidate) => entries.every((entry) => entry!.periods.includes(candidate))) ?? newest.at(-1)!;
  const rows = places.map((place) => rowOf(place, indicator.indicator, period));
  return {
    indicator,
    period,
    rows,
    group: members && groupOf(indicator, members, period),
    country: hasCountry ? countryOf([...places, ...(members ?? [])], indicator.indicator, period) : null,
  };
}

function rowOf(place: Chosen, indicator: string, period: string): Row {
  const entry = entryOf(place, indicator);
  const at = place.values.areas.indexOf(place.area);
  const when = entry?.periods.indexOf(period) ?? -1;
  const total = entry?.breakdowns[0];
  const row = { place, value: null, numerator: null, denominator: null, lower: null, upper: null, status: "O", note: null, newest: null };
  if (!entry || !total || at < 0) return row;
  const values = total.value[at] ?? [];
  const last = values.map((value) => value !== null).lastIndexOf(true);
  const newest = last < 0 ? (entry.last?.[at] ?? null) : entry.periods[last]!;
  if (when < 0) return { ...row, newest };
  const status = total.status[at]?.[when] ?? ".";
  const counted = period === entry.newest;
  return {
    place,
    value: values[when] ?? null,
    status: status === "." ? "O" : status,
    lower: total.lower?.[at]?.[when] ?? null,
    upper: total.upper?.[at]?.[when] ?? null,
    numerator: counted ? (entry.numerator?.[at] ?? null) : null,
    denominator: counted ? (entry.denominator?.[at] ?? null) : null,
    note: total.notes?.find((note) => note.period === when && note.areas.includes(at))?.note ?? null,
    newest,
  };
}

function groupOf(indicator: IndicatorMeta, members: Chosen[], period: string): GroupRow | NoGroup {
  const rule = indicator.group;
  if (!rule) return { reason: "rule" };
  if (new Set(members.map(({ level }) => level)).size > 1) return { reason: "levels" };
  const rows = members.map((place) => rowOf(place, indicator.indicator, period));
  const without = rows.filter(({ value }) => value === null);
  if (without.length > 0) return { reason: "members", names: without.map(({ place }) => place.name) };
  const evidence = [...new Set(members.map(({ values }) => values))].flatMap((values) =>
    values.areas.map((area) => rowOf({ ...members[0]!, area, values }, indicator.indicator, period)),
  );
  const sums = groupSums(rows, rule, intervalKind(evidence, rule, indicator.decimals));
  if (!sums) return { reason: "period" };
  const rank = Math.max(...rows.map(({ status }) => RANK.indexOf(status)));
  const round = (value: Value) => (value === null || indicator.decimals === null ? value : Number(value.toFixed(indicator.decimals)));
  const rounded = { value: round(sums.value)!, lower: round(sums.lower), upper: round(sums.upper) };
  return { ...sums, ...rounded, status: RANK[Math.max(rank, 0)]!, members: rows };
}

function countryOf(places: Chosen[], indicator: string, period: string): Reference | null {
  for (const place of places) {
    const entry = entryOf(place, indicator);
    const country = entry?.above?.country;
    if (entry?.newest === period && country) return { status: country.status, value: country.value, lower: country.lower ?? null, upper: country.upper ?? null };
  }
  return null;
}

export const hasGroup = (group: Comparison["group"]): group is GroupRow => group !== null && !("reason" in group);

/** Each place with those whose whole interval lies below its own; places that are below nobody's are left out. Highest first. */
export function certainlyHigher(rows: Row[]): { row: Row; lower: Row[] }[] {
  const withInterval = rows.filter((row) => row.lower !== null && row.upper !== null).sort((a, b) => b.value! - a.value!);
  return withInterval.map((row) => ({ row, lower: withInterval.filter((other) => other.upper! < row.lower!) })).filter(({ lower }) => lower.length > 0);
}

/** How many pairs of places with intervals there are. */
export function pairs(rows: Row[]): number {
  const count = rows.filter(({ lower }) => lower !== null).length;
  return (count * (count - 1)) / 2;
}

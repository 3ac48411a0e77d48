// The areas of a level with their newest values: what maps, rankings, tables and files of the shown selection are made from.
import type { Areas } from "../../core/areas";
import { ofSex, totalOf } from "../../core/breakdowns";
import type { About, IndicatorLevel, Value } from "../../core/data";

/** How a value lies against the country: outside its 95 % interval or not; null where that is not said. */
export type Outcome = "lower" | "similar" | "higher" | "too_few";

export interface Row {
  area: number;
  code: string;
  name: string;
  value: Value;
  status: string;
  lower: Value;
  upper: Value;
  numerator: Value;
  denominator: Value;
  reference: Value;
  outcome: Outcome | null;
  women: Value;
  men: Value;
  womenStatus: string;
  menStatus: string;
  note: string;
}

function outcomeOf(outcome: string | null | undefined, value: Value, reference: Value, lower: Value, upper: Value): Outcome | null {
  if (outcome === "similar" || outcome === "too_few") return outcome;
  if (!outcome || !["better", "worse", "higher", "lower"].includes(outcome) || value === null || reference === null) return null;
  return (value - reference || ((lower ?? value) + (upper ?? value)) / 2 - reference) > 0 ? "higher" : "lower";
}

/** The rows of a level, in the order of the areas; areas without a row in the tables, such as former ones, are left out. */
export function rowsOf(level: IndicatorLevel, areas: Areas, about: About, notes: (area: number) => string = () => ""): Row[] {
  const total = totalOf(level.breakdowns);
  if (!total) return [];
  const [women, men] = [ofSex(level.breakdowns, "F"), ofSex(level.breakdowns, "M")];
  const compared = about.depends_on_size ? undefined : level.comparisons?.country;
  const rows: Row[] = [];
  for (let at = 0; at < level.count; at += 1) {
    const status = total.status[at] ?? ".";
    if (status === ".") continue;
    const area = level.first + at;
    const value = total.value[at] ?? null;
    const [lower, upper] = [total.lower?.[at] ?? null, total.upper?.[at] ?? null];
    const reference = compared?.reference[at] ?? null;
    rows.push({
      area,
      code: areas.code(area),
      name: areas.name(area),
      value,
      status,
      lower,
      upper,
      numerator: total.numerator?.[at] ?? null,
      denominator: total.denominator?.[at] ?? null,
      reference,
      outcome: outcomeOf(compared?.outcome[at], value, reference, lower, upper),
      women: women?.value[at] ?? null,
      men: men?.value[at] ?? null,
      womenStatus: women?.status[at] ?? ".",
      menStatus: men?.status[at] ?? ".",
      note: notes(area),
    });
  }
  return rows;
}

/** Rows with a value, from the highest to the lowest. */
export const sortedRows = (rows: Row[]): (Row & { value: number })[] =>
  rows.filter((row): row is Row & { value: number } => row.value !== null).sort((a, b) => b.value - a.value || a.name.localeCompare(b.name));

/** Those of sorted rows that are not values of fewer than ten cases; all of them where no other are left. */
export function steadyRows<T extends Row>(sorted: T[]): T[] {
  const steady = sorted.filter(({ outcome }) => outcome !== "too_few");
  return steady.length > 1 ? steady : sorted;
}

/** Whether the level can be shown in bands against the country. */
export const hasBands = (rows: Row[]): boolean => rows.some(({ outcome }) => outcome !== null && outcome !== "too_few");

/** The positions of the periods before which a series is broken. */
export function breaksOf(periods: string[], breaks: { period: string }[]): number[] {
  const positions = new Set<number>();
  for (const { period } of breaks) {
    const at = periods.findIndex((other) => other >= period);
    if (at > 0) positions.add(at);
  }
  return [...positions].sort((a, b) => a - b);
}

/** When a series was broken, by the positions of `breaksOf`. */
export function breakPeriodsOf(periods: string[], breaks: { period: string }[]): Record<number, string[]> {
  const periodsAt: Record<number, string[]> = {};
  for (const { period } of [...breaks].sort((a, b) => (a.period < b.period ? -1 : 1))) {
    const at = periods.findIndex((other) => other >= period);
    if (at > 0 && !periodsAt[at]?.includes(period)) (periodsAt[at] ??= []).push(period);
  }
  return periodsAt;
}

/** The notes of breaks inside the periods, each once. */
export function breakNotes<T extends { period: string; note: Record<string, string> }>(periods: string[], breaks: T[]): T[] {
  const seen = new Set<string>();
  return breaks.filter((entry) => {
    const key = `${entry.period} ${JSON.stringify(entry.note)}`;
    const inside = entry.period > (periods[0] ?? "") && entry.period <= (periods.at(-1) ?? "");
    if (!inside || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

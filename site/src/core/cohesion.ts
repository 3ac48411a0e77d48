// site/data/cohesion/<id>.json: how much the areas inside a territory differ, and whether the differences close.
import { type IndicatorMeta, type Level, type Meta, type Value, load } from "./data";
import { t } from "./texts";

export interface Dispersion {
  within: number;
  of_level: string;
  by_level: string | null;
  sex: string;
  /** An element per period; of most statistics only the last one is there. */
  statistics: Record<string, Value[]>;
  n: Value[];
  coverage: Value[];
  /** A letter per period: the status of all statistics but those in `status_of`. */
  status: string;
  status_of: Record<string, string>;
}

export interface Convergence {
  within: number;
  of_level: string;
  sex: string;
  first_period: string;
  last_period: string;
  n: number | null;
  statistics: Record<string, Value>;
  status: Record<string, string>;
}

export interface CohesionFile {
  indicator: string;
  periods: string[];
  dispersion: Dispersion[];
  convergence: Convergence[];
}

export async function loadCohesion(id: string): Promise<CohesionFile> {
  const file = await load<CohesionFile>(`site/data/cohesion/${encodeURIComponent(id)}.json`);
  if (file.indicator !== id) throw new Error(`not the differences of ${id}`);
  return file;
}

const TOTAL = "_T";

/** The territories of a level and the level of the areas compared inside them. */
export interface Pairing {
  level: Level;
  of: Level;
}

/** The pairings that a file has, without those of a single territory such as the country. Coarser territories come last. */
export function pairingsOf(file: CohesionFile, meta: Meta): Pairing[] {
  const byLevels = new Map<string, { pairing: Pairing; territories: Set<number> }>();
  for (const { within, of_level, by_level, sex } of file.dispersion) {
    if (by_level !== null || sex !== TOTAL) continue;
    const level = meta.levels.find(({ first, count }) => within >= first && within < first + count);
    const of = meta.levels.find((level) => level.level === of_level);
    if (!level || !of) continue;
    const key = `${level.level} ${of_level}`;
    if (!byLevels.has(key)) byLevels.set(key, { pairing: { level, of }, territories: new Set() });
    byLevels.get(key)!.territories.add(within);
  }
  const order = (level: Level) => meta.levels.indexOf(level);
  return [...byLevels.values()]
    .filter(({ territories }) => territories.size > 1)
    .map(({ pairing }) => pairing)
    .sort((a, b) => order(a.of) - order(b.of) || order(a.level) - order(b.level));
}

/** The pairing with the finest areas compared and the most territories that still fit into a list. */
export function usualPairing(pairings: Pairing[]): Pairing | undefined {
  const finest = pairings.filter(({ of }) => of === pairings[0]?.of);
  const fitting = finest.filter(({ level }) => level.count <= 100);
  return [...(fitting.length ? fitting : finest)].sort((a, b) => b.level.count - a.level.count)[0];
}

/** The dispersions of the territories of a pairing. */
export const dispersionsOf = (file: CohesionFile, { level, of }: Pairing): Dispersion[] =>
  file.dispersion.filter(
    ({ within, of_level, by_level, sex }) => by_level === null && sex === TOTAL && of_level === of.level && within >= level.first && within < level.first + level.count,
  );

export const dispersionIn = (file: CohesionFile, area: number | null, of: string): Dispersion | undefined =>
  file.dispersion.find(({ within, of_level, by_level, sex }) => within === area && of_level === of && by_level === null && sex === TOTAL);

export const convergenceIn = (file: CohesionFile, area: number | null, of: string): Convergence | undefined =>
  file.convergence.find(({ within, of_level, sex }) => within === area && of_level === of && sex === TOTAL);

export const statusOf = (dispersion: Dispersion, statistic: string, period: number): string =>
  (dispersion.status_of[statistic] ?? dispersion.status)[period] ?? ".";

/** The statistics that the page shows, in the order in which it offers them. */
export const STATISTICS = ["sd_left", "sd", "iqr", "cv", "gini", "p90_p10", "theil_t"] as const;
export type Statistic = (typeof STATISTICS)[number];

/** How a statistic is written: in the unit of the indicator, in points where that is per cent, or as a plain number. */
export function measured(statistic: string, { unit, decimals }: IndicatorMeta): { unit: string; decimals: number } {
  if (statistic.startsWith("sd") || statistic === "iqr") return { unit: unit === "%" ? t("common.points") : unit, decimals: Math.max(decimals ?? 1, 1) };
  return { unit: "", decimals: statistic === "p90_p10" ? 2 : 3 };
}

/** What convergence says. */
export type Direction = "closer" | "apart" | "same" | "broken" | "unknown";

export interface Change {
  direction: Direction;
  first: Value;
  last: Value;
  /** `sd_left`: without chance, in the unit of the indicator; `sigma`: relative, as the standard deviation of logarithms. */
  kind: "sd_left" | "sigma";
}

/**
 * Whether the areas inside a territory draw together. Of indicators with intervals only what is left without chance counts: what is observed may grow
 * because areas become smaller. Nothing is said across a break, without a value, or where the two numbers are the same as they are written.
 */
export function changeOf(convergence: Convergence, indicator: IndicatorMeta): Change {
  const kind = "sd_left_first" in convergence.statistics ? "sd_left" : "sigma";
  const first = convergence.statistics[`${kind}_first`] ?? null;
  const last = convergence.statistics[`${kind}_last`] ?? null;
  const letters = ["first", "last", "change"].map((end) => convergence.status[`${kind}_${end}`] ?? "Z");
  if (first === null || last === null) return { direction: "unknown", first, last, kind };
  if (letters.includes("B")) return { direction: "broken", first, last, kind };
  const { decimals } = changeFormat(kind, indicator);
  const difference = Number(last.toFixed(decimals)) - Number(first.toFixed(decimals));
  return { direction: difference < 0 ? "closer" : difference > 0 ? "apart" : "same", first, last, kind };
}

export const changeFormat = (kind: Change["kind"], indicator: IndicatorMeta): { unit: string; decimals: number } =>
  kind === "sd_left" ? measured("sd_left", indicator) : { unit: "", decimals: 3 };

// How areas differ from the country, as the comparisons of the release say.
import { totalOf } from "./breakdowns";
import type { Compared, ComparedCounts, IndicatorLevel, IndicatorPage, Value } from "./data";

export type Side = "lower" | "similar" | "higher";

const DIFFERENT = ["better", "worse", "higher", "lower"];

/** On which side of the country a value lies by its interval; null where that is not known. */
export function side(value: Value | undefined, compared: Compared | undefined, position: number): Side | null {
  const outcome = compared?.outcome[position];
  const reference = compared?.reference[position];
  if (outcome === "similar") return "similar";
  if (!outcome || !DIFFERENT.includes(outcome) || value === null || value === undefined || reference === null || reference === undefined) return null;
  return value > reference ? "higher" : "lower";
}

/** How many of the areas compared would lie outside their 95% interval by chance alone. */
export const expectedByChance = (compared: number): number => Math.round(0.05 * compared);

/** How many areas of a level differ from the country, from the file of an indicator; null without comparisons. */
export function differences(page: IndicatorPage, level: string): ComparedCounts | null {
  if (page.fine?.level === level) return page.fine.compared ?? null;
  const levelValues = page.levels.find((entry) => entry.level === level);
  return levelValues?.comparisons?.country ? counted(levelValues, levelValues.comparisons.country) : null;
}

function counted(level: IndicatorLevel, country: Compared): ComparedCounts {
  const counts = { higher: 0, lower: 0, similar: 0, too_few: country.outcome.filter((outcome) => outcome === "too_few").length };
  totalOf(level.breakdowns)?.value.forEach((value, position) => {
    const valueSide = side(value, country, position);
    if (valueSide) counts[valueSide] += 1;
  });
  const references = new Set(country.reference.filter((value) => value !== null));
  return { ...counts, reference: references.size === 1 ? [...references][0]! : null };
}

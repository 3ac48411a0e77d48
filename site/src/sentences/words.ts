// The words of a sentence about what stands out: the fact, the comparison, and what a reader must know to quote it.
import type { Areas } from "../core/areas";
import type { Meta } from "../core/data";
import { period, isOlder, valueText } from "../core/format";
import { hasText, t } from "../core/texts";
import type { Place, Row } from "../place/model";
import { around, changeSize, countAround, fullValue, intervalText, many, ofNumber, peersName } from "../place/words";
import { SIGNIFICANT, type ReferenceComparison, type Sentence } from "./standsOut";

export interface Words {
  /** The fact. */
  fact: string;
  comparison: string;
  /** Year, broken series, significance, interval, position, change. */
  conditions: string[];
}

/** Counts below this are said before their share. */
const SMALL_COUNT = 100;

/** Flows of one year that swing by themselves, so that a single value says little. */
const SWINGING = new Set([
  "budget_balance", "dwellings_completed", "expenditure_per_inhabitant", "green_investment_share", "investment_share", "natural_increase", "net_migration",
  "revenue_growth_3y",
]);

export function wordsOf(sentence: Sentence, place: Place, areas: Areas, meta: Meta): Words {
  const { row } = sentence;
  const conditions = [isOlder(row.period, meta.released) ? t("sentences.older", { period: period(row.period) }) : period(row.period)];
  if (row.status === "B") conditions.push(t("place.broken"));
  if (sentence.kind === "position") {
    conditions.push(SWINGING.has(row.about.indicator) ? t("sentences.one_year") : t("sentences.no_interval"));
    const key = sentence.k === sentence.n ? `sentences.${sentence.side}_than_all` : `sentences.${sentence.side}_than_most`;
    return { fact: factOf(row), comparison: t(key, { k: sentence.k, n: sentence.n, of: ofNumber(sentence.n), many: many(place.level) }), conditions };
  }
  conditions.push(sentence.kind === "similar" ? t("sentences.not_significant") : significance(sentence.comparisons, place, meta));
  conditions.push(t("sentences.interval", { interval: intervalText(row, row) }));
  if (sentence.kind === "differs") {
    const beside = besideText(row, sentence.comparisons[0]!.side, place, areas);
    if (beside) conditions.push(beside);
    const changed = changeSize(row);
    if (changed) conditions.push(t(`sentences.${changed.key}`, { period: changed.period, size: changed.size }));
  }
  return { fact: factOf(row), comparison: comparisonOf(sentence.comparisons, row, place, meta), conditions };
}

/** "Women among candidates: 35 of 115 (30.4%)" or a sentence of its own for well-known indicators. */
function factOf(row: Row): string {
  const { indicator, title, group, unit } = row.about;
  const value = fullValue(row.value, row);
  const counted = group?.kind === "ratio" && group.multiplier === 100 && unit === "%" && row.about.has_interval;
  if (counted && row.numerator !== null && row.denominator !== null && row.numerator < SMALL_COUNT && Number.isInteger(row.numerator) && Number.isInteger(row.denominator)) {
    const key = `sentences.count_${indicator}`;
    return t(hasText(key) ? key : "sentences.counted", { title, x: row.numerator, of: ofNumber(row.denominator), value });
  }
  const key = `sentences.fact_${indicator}`;
  return hasText(key) ? t(key, { value: valueText(row.value, row.about) }) : t("sentences.fact", { title, value });
}

function comparisonOf(comparisons: ReferenceComparison[], row: Row, place: Place, meta: Meta): string {
  const [first, second] = comparisons;
  const value = (comparison: ReferenceComparison) => valueText(comparison.value, row.about);
  const name = (comparison: ReferenceComparison) => nameOf(comparison, place, meta);
  if (!second) return t(`sentences.${first!.side}`, { reference: name(first!), value: value(first!) });
  const values = { reference: name(first!), value: value(first!), reference_2: name(second), value_2: value(second) };
  if (first!.side === second.side) return t(`sentences.${first!.side}_both`, values);
  return t(`sentences.${first!.side}_but_${second.side}`, values);
}

/** Which of the differences is significant at which level. */
function significance(comparisons: ReferenceComparison[], place: Place, meta: Meta): string {
  const levels = comparisons.filter(({ side }) => side !== "similar");
  if (levels.every((comparison) => comparison.significance === SIGNIFICANT)) return t("sentences.significant");
  const strong = levels.find((comparison) => comparison.significance === SIGNIFICANT)!;
  return t("sentences.significant_one", { reference: nameOf(strong, place, meta) });
}

const nameOf = (comparison: ReferenceComparison, place: Place, meta: Meta): string => (comparison.against === "country" ? meta.country.name : peersName(place.level));

function besideText(row: Row, side: ReferenceComparison["side"], place: Place, areas: Areas): string | null {
  if (!row.among || side === "similar") return null;
  const { below, equal, others } = row.among;
  const k = side === "lower" ? below : others - below - equal;
  if (k === 0 && equal === 0) return t(`sentences.${side}_than_all_around`, { n: others, areas: countAround(place, areas, others) });
  return t(side === "lower" ? "sentences.lower_beside" : "sentences.higher_beside", { n: k, of: ofNumber(others), many: around(place, areas) });
}

// The selection as rows of a CSV file.
import { type Comparison, hasGroup } from "../../core/comparison";
import { type Cell, csv } from "../../core/csv";
import type { IndicatorMeta, Meta } from "../../core/data";
import { t } from "../../core/texts";

const HEADER = ["indicator", "title", "unit", "area", "name", "period", "value", "lower_95", "upper_95", "numerator", "denominator", "status"];

/** All values of the comparisons, also those of the group and of the country, to the decimals of the indicator. */
export function selectionCsv(comparisons: Comparison[], meta: Meta, group: string): string {
  const rows: Cell[][] = [];
  for (const { indicator, period, rows: places, group: sums, country } of comparisons) {
    const head = [indicator.indicator, indicator.title, indicator.unit];
    for (const { place, value, lower, upper, numerator, denominator, status } of places) {
      rows.push([...head, place.code, place.name, period, value, lower, upper, numerator, denominator, status]);
    }
    if (hasGroup(sums)) rows.push([...head, "group", group, period, sums.value, sums.lower, sums.upper, sums.numerator, sums.denominator, sums.status]);
    if (country) rows.push([...head, meta.country.code, meta.country.name, period, country.value, country.lower, country.upper, null, null, country.status]);
  }
  return csv(HEADER, rows);
}

/** Who published what the indicators are made from, and the release. */
export function sourceLine(indicators: IndicatorMeta[], meta: Meta): string {
  const ids = new Set(indicators.flatMap(({ sources }) => sources));
  const publishers = meta.sources.filter(({ source }) => ids.has(source)).map(({ publisher }) => publisher);
  return t("indicator.source_line", { sources: [...new Set(publishers)].join(", "), publisher: meta.title, version: meta.version });
}

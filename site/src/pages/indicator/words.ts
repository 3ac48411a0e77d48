// Sentences and words of the indicator page, each with the condition under which it may be said.
import type { About, Meta, Value } from "../../core/data";
import { difference, interval, number, period, shortUnit, valueText, withUnit } from "../../core/format";
import { localized } from "../../core/localized";
import { t } from "../../core/texts";
import { time } from "../../core/time";

export interface Measured {
  decimals: number | null;
  unit: string;
}

export interface Point {
  period: string;
  value: Value;
  status: string;
  lower?: Value;
  upper?: Value;
}

const has = (value: Value | undefined): value is number => value !== null && value !== undefined;

/** The numbers at the end of a series after its last break: only these may be compared. */
export function unbroken(points: Point[], breaks: number[]): Point[] {
  return points.slice(breaks.at(-1) ?? 0).filter(({ value }) => has(value));
}

/** What happened between two points: risen or fallen where intervals do not overlap; without intervals only the numbers. */
export function changeText(name: string, first: Point, last: Point, measured: Measured): string {
  const values = {
    name,
    from: period(first.period),
    to: period(last.period),
    first: valueText(first.value, measured),
    last: valueText(last.value, measured),
    change: difference(last.value! - first.value!, measured),
  };
  if (has(first.lower) && has(first.upper) && has(last.lower) && has(last.upper)) {
    if (last.lower > first.upper) return t("indicator.risen", values);
    if (last.upper < first.lower) return t("indicator.fallen", values);
    return t("indicator.within_uncertainty", values);
  }
  return t("indicator.changed", values);
}

/** How often the values change, from the distance of the periods. */
export function frequency(periods: string[]): string {
  if (periods.length < 2) return t("indicator.only_period", { period: period(periods[0] ?? "") });
  const steps = periods.slice(1).map((later, at) => Math.round((time(later) - time(periods[at]!)) * 12));
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (least !== most) return t("indicator.irregular", { n: periods.length, period: period(periods.at(-1)!) });
  if (least % 12 === 0) return t("indicator.every_years", { n: least / 12 });
  return least === 1 ? t("indicator.every_month") : least === 3 ? t("indicator.every_quarter") : t("indicator.every_months", { n: least });
}

export function directionText({ direction, target_value }: Pick<About, "direction" | "target_value">, measured: Measured): string {
  if (direction === "target" && target_value !== null) {
    const decimals = Number.isInteger(target_value) ? 0 : measured.decimals;
    return t("indicator.target", { value: withUnit(number(target_value, decimals), shortUnit(measured.unit)) });
  }
  return direction === "higher_better" ? t("indicator.higher_better") : direction === "lower_better" ? t("indicator.lower_better") : t("indicator.no_direction");
}

/** The unit where it is too long to stand after each number. */
export const longUnit = (unit: string): string => (shortUnit(unit) ? "" : unit);

/** "33,3 % (33,1–33,5 %)". */
export function valueWithInterval(value: Value, lower: Value, upper: Value, measured: Measured): string {
  const range = interval(lower, upper, measured);
  return range ? `${valueText(value, measured)} (${range})` : valueText(value, measured);
}

/** Why there is no value: the note of the source, else what the status means. */
export const reasonText = (status: string, note: string, meta: Meta): string => note || meta.statuses[status]?.explanation || t("indicator.no_data");

export const sourceLine = (sources: { publisher: Record<string, string>; licence: string }[], meta: Meta): string =>
  t("indicator.source_line", { sources: [...new Set(sources.map((source) => localized(source.publisher)))].join(", "), publisher: meta.title, version: meta.version });

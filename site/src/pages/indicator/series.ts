// Series of areas from the file of an indicator, and from the bundle of an area of the finest level.
import { ofSex } from "../../core/breakdowns";
import type { Bundle, IndicatorPage, Value } from "../../core/data";
import type { Point } from "./words";

/** The series of an area of a level in the page's file; null where there is none. */
export function seriesOf(page: IndicatorPage, area: number | null, sex = "_T"): Point[] | null {
  const level = page.levels.find(({ first, count }) => area !== null && area >= first && area < first + count);
  const cells = level?.series && ofSex(level.series.breakdowns, sex);
  if (!level?.series || !cells || area === null) return null;
  const at = area - level.first;
  return level.series.periods.map((period, position) => ({
    period,
    value: cells.value[position]?.[at] ?? null,
    status: cells.status[position]?.[at] ?? ".",
    lower: cells.lower?.[position]?.[at] ?? null,
    upper: cells.upper?.[position]?.[at] ?? null,
  }));
}

/** The series of an area in its bundle. */
export function seriesInBundle(bundle: Bundle, area: number, indicator: string, sex = "_T"): Point[] | null {
  const at = bundle.areas.indexOf(area);
  const series = bundle.indicators.find((entry) => entry.indicator === indicator);
  const breakdown = series && ofSex(series.breakdowns, sex);
  if (!series || !breakdown || at < 0) return null;
  return series.periods.map((period, position) => ({
    period,
    value: breakdown.value[at]?.[position] ?? null,
    status: breakdown.status[at]?.[position] ?? ".",
    lower: breakdown.lower?.[at]?.[position] ?? null,
    upper: breakdown.upper?.[at]?.[position] ?? null,
  }));
}

/** A series on other periods; what it has not is missing. */
export function onPeriods(points: Point[], periods: string[]): Point[] {
  const byPeriod = new Map(points.map((point) => [point.period, point]));
  return periods.map((period) => byPeriod.get(period) ?? { period, value: null, status: "." });
}

/** All areas of a level as values by period. */
export function allOf(page: IndicatorPage, level: string, periods: string[]): Value[][] {
  const levelValues = page.levels.find((entry) => entry.level === level);
  if (!levelValues?.series) return [];
  return Array.from({ length: levelValues.count }, (_, at) => onPeriods(seriesOf(page, levelValues.first + at) ?? [], periods).map(({ value }) => value)).filter((values) => values.some((value) => value !== null));
}

/** All periods of some series, in order. */
export const periodsOf = (series: (Point[] | null)[]): string[] => [...new Set(series.flatMap((points) => points?.filter(({ value }) => value !== null).map(({ period }) => period) ?? []))].sort();

import type { Areas } from "../../core/areas";
import { type IndicatorPage, loadBundle } from "../../core/data";
import { useLoaded } from "../../core/state";
import { seriesInBundle, seriesOf } from "./series";
import type { Point } from "./words";

/** The series of the chosen area by sex; that of a small area is in its bundle, which is loaded. */
export function useAreaSeries(page: IndicatorPage, areas: Areas, area: number | null): (sex: string) => Point[] | null {
  const isInPage = page.levels.some(({ first, count }) => area !== null && area >= first && area < first + count);
  const name = area === null || isInPage ? "" : areas.bundle(area);
  const { value: bundle } = useLoaded(name || null, () => loadBundle(name));
  return (sex) => (area === null ? null : isInPage ? seriesOf(page, area, sex) : bundle ? seriesInBundle(bundle, area, page.about.indicator, sex) : null);
}

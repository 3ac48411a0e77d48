// Which indicators the first page speaks of: the one that the pack chose, then headlines with intervals, those that
// reach the finest level and belong to a measure before others, then the newest.
import type { IndicatorMeta, Meta } from "./data";

/** Indicators with a value on a level, the fittest first and each of another objective than those before it; at most `most`. */
export function flagships(meta: Meta, level: string, most: number): IndicatorMeta[] {
  const fit = meta.indicators.filter((indicator) => indicator.has_interval && indicator.newest[level] && (indicator.indicator === meta.map_indicator || (indicator.display === "headline" && !indicator.depends_on_size)));
  const finest = meta.levels[0]!.level;
  const rank = (indicator: IndicatorMeta) => (indicator.indicator === meta.map_indicator ? -4 : 0) + (indicator.newest[finest] ? 0 : 2) + (indicator.measure ? 0 : 1);
  fit.sort((a, b) => rank(a) - rank(b) || (a.newest[level]! < b.newest[level]! ? 1 : -1));
  const chosen: IndicatorMeta[] = [];
  for (const indicator of fit) if (chosen.length < most && !chosen.some(({ objective }) => objective === indicator.objective)) chosen.push(indicator);
  return chosen;
}

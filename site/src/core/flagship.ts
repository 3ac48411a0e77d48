// Which indicators the first page speaks of: the one that the pack chose, then headlines with intervals, those that
// reach the finest level and belong to a measure before others, then the newest.
import type { IndicatorMeta, Meta } from "./data";

/** Indicators with a value on a level, the fittest first and each of another objective than those before it; at most `most`. */
export function flagships(meta: Meta, level: string, most: number): IndicatorMeta[] {
  const fit = meta.indicators.filter((own) => own.has_interval && own.newest[level] && (own.indicator === meta.map_indicator || (own.display === "headline" && !own.depends_on_size)));
  const finest = meta.levels[0]!.level;
  const rank = (own: IndicatorMeta) => (own.indicator === meta.map_indicator ? -4 : 0) + (own.newest[finest] ? 0 : 2) + (own.measure ? 0 : 1);
  fit.sort((a, b) => rank(a) - rank(b) || (a.newest[level]! < b.newest[level]! ? 1 : -1));
  const chosen: IndicatorMeta[] = [];
  for (const own of fit) if (chosen.length < most && !chosen.some(({ objective }) => objective === own.objective)) chosen.push(own);
  return chosen;
}

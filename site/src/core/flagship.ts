// Which indicators the first page speaks of: headlines with intervals, those that
// reach the finest level and belong to a measure before others, then the newest.
import type { IndicatorMeta, Meta } from "./data";

/** Indicators with a value on a level, the fittest first and each of another objective than those before it; at most `most`. */
export function flagships(meta: Meta, level: string, most: number): IndicatorMeta[] {
  const fit = meta.indicators.filter((own) => own.display === "headline" && own.has_interval && !own.depends_on_size && own.newest[level]);
  const finest = meta.levels[0]!.level;
  const rank = (own: IndicatorMeta) => (own.newest[finest] ? 0 : 2) + (own.measure ? 0 : 1);
  fit.sort((a, b) => rank(a) - rank(b) || (a.newest[level]! < b.newest[level]! ? 1 : -1));
  const chosen: IndicatorMeta[] = [];
  for (const own of fit) if (chosen.length < most && !chosen.some(({ objective }) => objective === own.objective)) chosen.push(own);
  return chosen;
}

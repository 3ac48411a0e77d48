// Axes: round ends and round marks between them.
import { ticks } from "d3-array";
import { decimalsOf, roundStep } from "./axis";

/** An axis with round ends and marks at equal distances between them. */
export interface MarkedAxis {
  from: number;
  to: number;
  marks: number[];
  /** As few decimals as tell the marks apart. */
  decimals: number;
}

/** An axis over values, with about `count` marks; it begins at zero if `zero` is set. */
export function axisOf(values: Iterable<number | null | undefined>, count = 5, zero = false): MarkedAxis {
  let [least, most] = zero ? [0, 0] : [Infinity, -Infinity];
  for (const value of values) if (value !== null && value !== undefined) [least, most] = [Math.min(least, value), Math.max(most, value)];
  if (!Number.isFinite(least)) [least, most] = [0, 1];
  if (least === most) [least, most] = least === 0 ? [0, 1] : [Math.min(least, least * 0.9, least * 1.1), Math.max(most, most * 0.9, most * 1.1)];
  const step = roundStep((most - least) / count);
  const from = Math.floor(least / step + 1e-9) * step;
  const to = Math.ceil(most / step - 1e-9) * step;
  const decimals = decimalsOf(step);
  return { from, to, marks: ticks(from, to, Math.round((to - from) / step)), decimals };
}

/** Where a value lies on an axis, as a share between 0 and 1. */
export const along = (value: number, { from, to }: Pick<MarkedAxis, "from" | "to">): number => Math.min(1, Math.max(0, (value - from) / (to - from)));

/** Positions at least `gap` apart, in the same order, moved as little as possible. */
export function spread(positions: number[], gap: number, from: number, to: number): number[] {
  const order = positions.map((_, at) => at).sort((a, b) => positions[a]! - positions[b]!);
  const placed = order.map((at) => positions[at]!);
  for (let round = 0; round < 60; round += 1) {
    for (let at = 1; at < placed.length; at += 1) {
      const lack = gap - (placed[at]! - placed[at - 1]!);
      if (lack > 0) [placed[at - 1], placed[at]] = [placed[at - 1]! - lack / 2, placed[at]! + lack / 2];
    }
    for (let at = 0; at < placed.length; at += 1) placed[at] = Math.min(Math.max(placed[at]!, from + at * 0.01), to);
  }
  const result: number[] = [];
  order.forEach((original, at) => (result[original] = placed[at]!));
  return result;
}

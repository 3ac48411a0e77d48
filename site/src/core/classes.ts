// Classes of the values of a map: five, with about as many areas in each, and round numbers between them.
import { quantileSorted } from "d3-array";
import { number, shortUnit, withUnit } from "./format";
import { t } from "./texts";

/** A class holds the values from a cut, up to but without the next. */
export interface Classes {
  cuts: number[];
  decimals: number;
  /** The swatch of each class, from low to high. */
  swatches: string[];
  diverging: boolean;
}

const SEQUENTIAL: Record<number, string[]> = {
  1: ["fill-3"],
  2: ["fill-2", "fill-4"],
  3: ["fill-1", "fill-3", "fill-5"],
  4: ["fill-1", "fill-2", "fill-4", "fill-5"],
  5: ["fill-1", "fill-2", "fill-3", "fill-4", "fill-5"],
};
const DIVERGING = ["fill-lower", "fill-lower-2", "fill-similar", "fill-higher-2", "fill-higher"];
const SHARES = [0.2, 0.4, 0.6, 0.8];

function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/** The cuts without those that no value lies below; equal ones once. */
const apart = (cuts: number[], least: number): number[] => [...new Set(cuts)].filter((cut) => cut > least);

/** Cuts of numbers without decimals, with two significant digits. */
const coarse = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(2)));

/**
 * Classes of values. Cuts are quantiles, rounded to one decimal fewer than the indicator has where they stay apart. If there are values on both
 * sides of `middle` (a target, or zero), the classes lie symmetrically around it.
 */
export function classesOf(values: number[], decimals: number | null, middle: number | null = null): Classes {
  const sorted = [...values].sort((a, b) => a - b);
  const digits = decimals ?? 0;
  if (sorted.length === 0) return { cuts: [], decimals: digits, swatches: SEQUENTIAL[1]!, diverging: false };
  const least = sorted[0]!;
  if (middle !== null && quantileSorted(sorted, 0.1)! < middle && middle < quantileSorted(sorted, 0.9)!) {
    const distances = sorted.map((value) => Math.abs(value - middle)).sort((a, b) => a - b);
    const near = rounded(quantileSorted(distances, 0.2)!, digits) || 10 ** -digits;
    const far = rounded(quantileSorted(distances, 0.6)!, digits);
    if (far > near) return { cuts: [middle - far, middle - near, middle + near, middle + far].map((cut) => rounded(cut, digits)), decimals: digits, swatches: DIVERGING, diverging: true };
  }
  const raw = SHARES.map((share) => quantileSorted(sorted, share)!);
  const exact = apart(raw.map((cut) => rounded(cut, digits)), least);
  const rough = apart(raw.map((cut) => (digits === 0 ? coarse(cut) : rounded(cut, digits - 1))), least);
  const cuts = rough.length >= exact.length ? rough : exact;
  return { cuts, decimals: rough.length >= exact.length ? Math.max(digits - 1, 0) : digits, swatches: SEQUENTIAL[cuts.length + 1]!, diverging: false };
}

/** The number of the class of a value, from 0. */
export function classNumber(value: number, { cuts }: Classes): number {
  let at = 0;
  while (at < cuts.length && value >= cuts[at]!) at += 1;
  return at;
}

export const swatchOf = (value: number, classes: Classes): string => classes.swatches[classNumber(value, classes)]!;

/** The classes in words: "under 32 %", "32 to 33 %", "36 % and more". */
export function classTexts({ cuts, decimals }: Classes, unit: string): string[] {
  if (cuts.length === 0) return [t("indicator.class_all")];
  const short = shortUnit(unit);
  const shown = (cut: number) => number(cut, decimals);
  return [
    t("indicator.class_below", { to: withUnit(shown(cuts[0]!), short) }),
    ...cuts.slice(1).map((to, at) => t("indicator.class_between", { from: shown(cuts[at]!), to: withUnit(shown(to), short) })),
    t("indicator.class_above", { from: withUnit(shown(cuts.at(-1)!), short) }),
  ];
}

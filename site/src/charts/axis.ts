// The axis of a position strip, and round numbers for axes in general.
import { type Value, isNumber } from "../core/data";

/** An axis with a round number at each end. */
export interface RoundAxis {
  low: number;
  high: number;
  /** As few decimals as tell the ends apart. */
  decimals: number;
}

const present = (values: Iterable<Value | undefined>): number[] => [...values].filter(isNumber);

/** The step of 1, 2, 2.5 or 5 times a power of ten next above a length. */
export function roundStep(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length));
  return (([1, 2, 2.5, 5, 10].find((factor) => factor * power >= length * (1 - 1e-9)) ?? 10) * power);
}

/** As few decimals as write a number exactly. */
export function decimalsOf(value: number): number {
  for (let decimals = 0; decimals < 8; decimals++) if (Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals)) < 1e-6) return decimals;
  return 8;
}

/** An axis from and to a round number that holds both ends. */
export function roundAxis(low: number, high: number): RoundAxis {
  const wide = high > low ? high - low : Math.abs(high) || 1;
  const [from, to] = high > low ? [low, high] : low === 0 ? [0, 1] : [low - wide / 2, high + wide / 2];
  const step = roundStep((to - from) / 6);
  const rounded = (value: number) => Number(value.toFixed(decimalsOf(step)));
  const [first, last] = [rounded(Math.floor(from / step + 1e-9) * step), rounded(Math.ceil(to / step - 1e-9) * step)];
  return { low: first, high: last, decimals: Math.max(decimalsOf(first), decimalsOf(last)) };
}

function quantile(sorted: number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

/**
 * The axis of a strip: it holds everything that is named (the place, its interval, similar places, the country, women and men), and reaches
 * towards the 3rd and the 97th percentile of the others: all the way if `wide`, else by at most the same length at each side.
 */
export function stripAxis(named: Iterable<Value | undefined>, others: Iterable<Value>, wide = false): RoundAxis | null {
  const ends = present(named);
  const around = present(others).sort((a, b) => a - b);
  if (ends.length === 0 && around.length === 0) return null;
  if (ends.length === 0) return roundAxis(quantile(around, 0.03), quantile(around, 0.97));
  let [low, high] = [Math.min(...ends), Math.max(...ends)];
  if (around.length > 0) {
    const [near, far] = [quantile(around, 0.03), quantile(around, 0.97)];
    const reach = wide || high === low ? Infinity : high - low;
    [low, high] = [Math.min(low, Math.max(near, low - reach)), Math.max(high, Math.min(far, high + reach))];
  }
  return roundAxis(low, high);
}

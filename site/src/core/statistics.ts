// Intervals and the values of groups of areas, by the formulas of the methods page (docs/methods.md), as in pipelines/statistics/intervals.py.
import type { Group, Value } from "./data";

/** The quantile of the normal distribution for intervals of 95 %. */
export const Z = 1.959963984540054;
const OUTSIDE = 0.05;
/** The smallest count for which Byar's approximation is used; below it the limits are exact. */
const BYAR_FROM = 10;

export type Interval = [lower: number, upper: number];
/** `proportion`: x of n. `rate`: x events in an exposure n. */
export type IntervalKind = "proportion" | "rate";

/** Wilson's interval of the proportion `x` of `n`; null unless 0 <= x <= n and n > 0. */
export function proportion(x: number, n: number): Interval | null {
  if (!(n > 0 && x >= 0 && x <= n)) return null;
  const half = Z * Math.sqrt(Z * Z + 4 * x * (1 - x / n));
  return [(2 * x + Z * Z - half) / (2 * (n + Z * Z)), (2 * x + Z * Z + half) / (2 * (n + Z * Z))];
}

/** The interval of the rate of `x` events in the exposure `e`: Byar's, or exact for fewer than 10; null unless x >= 0 and e > 0. */
export function rate(x: number, e: number): Interval | null {
  if (!(x >= 0 && e > 0)) return null;
  const [lower, upper] = x < BYAR_FROM ? exactPoisson(x) : byar(x);
  return [lower / e, upper / e];
}

/** Byar's approximation of the limits of the expected number of events where `x` > 0 were counted. */
export function byar(x: number): Interval {
  const next = x + 1;
  return [x * (1 - 1 / (9 * x) - Z / (3 * Math.sqrt(x))) ** 3, next * (1 - 1 / (9 * next) + Z / (3 * Math.sqrt(next))) ** 3];
}

/** The exact limits of the expected number of events where `x` were counted; `x` need not be whole. The lower limit of almost no event is 0. */
export function exactPoisson(x: number): Interval {
  return [x > 1e-3 ? gammaQuantile(x, OUTSIDE / 2) : 0, gammaQuantile(x + 1, 1 - OUTSIDE / 2)];
}

/** The value at which the regularised lower incomplete gamma function P(a, value) is `share`, by halving. */
function gammaQuantile(a: number, share: number): number {
  let low = 0;
  let high = a + 10 * Math.sqrt(a) + 20;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (lowerGamma(a, middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(a, x) by its series, which has positive terms only. */
function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < 1000 && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return Math.min(sum * Math.exp(a * Math.log(x) - x - logGamma(a)), 1);
}

/** The logarithm of the gamma function for a > 0, by Stirling's series above 15. */
function logGamma(a: number): number {
  let product = 1;
  while (a < 15) product *= a++;
  const series = 1 / (12 * a) - 1 / (360 * a ** 3) + 1 / (1260 * a ** 5) - 1 / (1680 * a ** 7);
  return (a - 0.5) * Math.log(a) - a + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

/** A published value with what it was computed from. */
export interface Counted {
  value: Value;
  numerator: Value;
  denominator: Value;
  lower: Value;
  upper: Value;
}

/** The interval of a value of a kind, in the unit of the indicator. */
export function intervalOf(kind: IntervalKind, numerator: number, denominator: number, multiplier: number): Interval | null {
  const interval = kind === "proportion" ? proportion(numerator, denominator) : rate(numerator, denominator);
  return interval && [interval[0] * multiplier, interval[1] * multiplier];
}

/**
 * The kind of interval that gives all published intervals of some values again, to the decimals to which they are rounded; null if neither
 * does or none of them has an interval. Large counts of rare events fit both to the last decimal, so more values tell more.
 */
export function intervalKind(cells: Counted[], rule: Group, decimals: number | null): IntervalKind | null {
  const complete = cells.filter((cell) => cell.lower !== null && cell.upper !== null && cell.numerator !== null && cell.denominator !== null);
  if (rule.kind !== "ratio" || complete.length === 0) return null;
  const near = (computed: number, published: number) =>
    Math.abs(computed - published) <= (decimals === null ? 1e-6 * Math.abs(published) : 0.5 * 10 ** -decimals * (1 + 1e-6)) + 1e-9;
  const gives = (kind: IntervalKind) =>
    complete.every(({ numerator, denominator, lower, upper }) => {
      const interval = intervalOf(kind, numerator!, denominator!, rule.multiplier);
      return interval !== null && near(interval[0], lower!) && near(interval[1], upper!);
    });
  return gives("proportion") ? "proportion" : gives("rate") ? "rate" : null;
}

/** The value of a group of areas that do not overlap, from the sums of its members. */
export interface GroupSums {
  numerator: number;
  denominator: number | null;
  value: number;
  lower: Value;
  upper: Value;
}

/**
 * The value of a group: the multiplier times the sum of numerators, over the sum of denominators where the indicator is a ratio. Null if a member
 * has no value, or if the sums do not give one. It has an interval if all its members have one, of the kind that is given.
 */
export function groupSums(members: Counted[], rule: Group, kind: IntervalKind | null): GroupSums | null {
  if (members.length === 0) return null;
  let numerator = 0;
  let denominator = 0;
  for (const member of members) {
    if (member.value === null || member.numerator === null || (rule.kind === "ratio" && member.denominator === null)) return null;
    numerator += member.numerator;
    denominator += member.denominator ?? 0;
  }
  if (rule.kind === "sum") return { numerator, denominator: null, value: rule.multiplier * numerator, lower: null, upper: null };
  if (denominator === 0) return null;
  const interval = kind && members.every(({ lower }) => lower !== null) ? intervalOf(kind, numerator, denominator, rule.multiplier) : null;
  return { numerator, denominator, value: (rule.multiplier * numerator) / denominator, lower: interval?.[0] ?? null, upper: interval?.[1] ?? null };
}

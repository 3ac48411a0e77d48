// Numbers, units, periods and dates in the language of the page.
import type { Value } from "./data";
import { language, t } from "./texts";

const NBSP = "\u00a0";
const formats = new Map<string, Intl.NumberFormat>();

function formatter(decimals: number): Intl.NumberFormat {
  const key = `${language()} ${decimals}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(language(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals })));
  return format;
}

interface Measured {
  decimals: number | null;
  unit: string;
}

/** A number with the given decimals; the minus is U+2212. A missing value is a dash. */
export function number(value: Value | undefined, decimals: number | null = 0): string {
  if (value === null || value === undefined) return "–";
  const text = formatter(decimals ?? 0).format(value === 0 ? 0 : value).replace("-", "−");
  return /[1-9]/.test(text) ? text : text.replace("−", "");
}

/** A change: with a sign. */
export function signed(value: number, decimals: number | null = 0): string {
  const text = number(value, decimals);
  return text.startsWith("−") || !/[1-9]/.test(text) ? text : `+${text}`;
}

/** A unit after a number: "3,5 %" in Czech, "3.5%" in English, "43,3 let". */
export function withUnit(text: string, unit: string): string {
  if (text === "–" || !unit) return text;
  return unit === "%" && !spaced() ? `${text}%` : `${text}${NBSP}${unit}`;
}

/** Whether the language writes a space before the per cent sign. */
const spaced = (): boolean => ["cs", "sk"].includes(language());

/**
 * The unit of a value, where it stands right after the number: a short sign such as "%", "Kč" or "m²". Long ones ("persons per 1000") and words,
 * whose form depends on the number ("1 rok", "5 let"), stand in the head of the row.
 */
export const shortUnit = (unit: string): string => (unit.length <= 6 && !/^\p{Ll}{3,}/u.test(unit) ? unit : "");

/** A value with its unit if that is short. */
export const valueText = (value: Value | undefined, indicator: Measured): string =>
  withUnit(number(value, indicator.decimals), shortUnit(indicator.unit));

/** The ends of an interval, the unit once: "22,8–39,4 %". Empty where there is none. */
export function interval(lower: Value | undefined, upper: Value | undefined, indicator: Measured): string {
  if (lower === null || lower === undefined || upper === null || upper === undefined) return "";
  return withUnit(`${number(lower, indicator.decimals)}–${number(upper, indicator.decimals)}`, shortUnit(indicator.unit));
}

/** The difference of two values: in percentage points where the unit is per cent. */
export const difference = (value: number, indicator: Measured): string =>
  `${signed(value, indicator.decimals)}${indicator.unit === "%" ? `${NBSP}${t("common.points")}` : shortUnit(indicator.unit) ? NBSP + indicator.unit : ""}`;

/** What a logarithm of a ratio says in words that people use: "0.951 times". */
export const times = (value: number, { decimals }: Measured): string => t("common.times", { number: number(Math.exp(value), decimals) });

/** A period of the tables: "2023", "2023-Q2", "2023-06", "2023-06-01". */
export function period(text: string): string {
  const month = /^(\d{4})-(\d{2})$/.exec(text);
  if (month) return new Intl.DateTimeFormat(language(), { year: "numeric", month: "long", timeZone: "UTC" }).format(Date.UTC(+month[1]!, +month[2]! - 1));
  const quarter = /^(\d{4})-Q(\d)$/.exec(text);
  if (quarter) return t("common.quarter", { quarter: quarter[2]!, year: quarter[1]! });
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? date(text) : text;
}

/** A day: "1. 1. 2023" in Czech, "1 January 2023" in English. */
export function date(text: string): string {
  const day = new Date(text.length > 10 ? text : `${text}T00:00:00Z`);
  const locale = language() === "en" ? "en-GB" : language();
  const month = locale === "en-GB" ? "long" : "numeric";
  return new Intl.DateTimeFormat(locale, { day: "numeric", month, year: "numeric", timeZone: "UTC" }).format(day);
}

/** Whether a period ended five years or more before the release. */
export const isOlder = (text: string, released: string): boolean => Number(released.slice(0, 4)) - Number(text.slice(0, 4)) > 5;

/** A size of a file: "1,2 MB". */
export function fileSize(bytes: number): string {
  const [factor, unit] = bytes < 1000 ? [1, "B"] : bytes < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
  const value = bytes / factor;
  return `${number(value, value < 10 && factor > 1 ? 1 : 0)}${NBSP}${unit}`;
}

/** Names as a list: "Praha, Brno a Ostrava". */
export const list = (names: string[]): string => new Intl.ListFormat(language(), { type: "conjunction" }).format(names);

/** Texts in the order of the language. */
export const byName = (): ((a: string, b: string) => number) => new Intl.Collator(language()).compare;

/** A text with a full stop, unless it ends with one already, such as that of a unit. */
export const sentence = (text: string): string => (text.endsWith(".") ? text : `${text}.`);

import type { ComponentChildren } from "preact";
import { type Comparison, type Row, certainlyHigher, hasGroup, pairs } from "../core/comparison";
import type { Meta, Value } from "../core/data";
import { isOlder, list, number, period, times, valueText } from "../core/format";
import { address } from "../core/state";
import { t } from "../core/texts";
import { ValueText } from "../parts/ValueText";
import { type RoundAxis, roundAxis } from "./axis";

interface Props {
  meta: Meta;
  comparison: Comparison;
  /** The name of the group. */
  group: string;
}

/** The country is drawn if the axis need not become longer than this for it. */
const LONGEST = 4;

/** One indicator in a few places: a row a place with its interval, the group as a square, the country as a line, and who differs in words. */
export function CompareCard({ meta, comparison, group }: Props) {
  const { indicator, rows, country } = comparison;
  const sums = hasGroup(comparison.group) ? comparison.group : null;
  const { axis, showsCountry } = axisOf(comparison);
  const at = (value: number) => (100 * (value - axis.low)) / (axis.high - axis.low);
  const line = showsCountry && country?.value !== null && country ? `${at(country.value).toFixed(2)}%` : null;
  return (
    <article class="compare-card" data-indicator={indicator.indicator}>
      <h3>
        <a href={address("indicator", { indicator: indicator.indicator })}>{indicator.title}</a>
      </h3>
      <p class="note">{facts(meta, comparison, axis, showsCountry)}</p>
      <ol>
        {rows.map((row, position) => (
          <li key={row.place.code} class={position === 0 ? "here" : undefined} data-area={row.place.code}>
            <span class="name">{row.place.name}</span>
            <Lane at={at} value={row.value} lower={row.lower} upper={row.upper} country={line} mark="dot" open={"PEI".includes(row.status)} />
            <span class="value">
              <ValueText indicator={indicator} period={comparison.period} status={row.status} value={row.value} />
            </span>
          </li>
        ))}
        {sums ? (
          <li class="group" data-area="group">
            <span class="name">{group}</span>
            <Lane at={at} value={sums.value} lower={sums.lower} upper={sums.upper} country={line} mark="square" />
            <span class="value">
              <ValueText indicator={indicator} period={comparison.period} status={sums.status} value={sums.value} />
            </span>
          </li>
        ) : null}
      </ol>
      <p class="small">{sentences(comparison, meta).join(" ")}</p>
    </article>
  );
}

interface LaneProps {
  at: (value: number) => number;
  value: Value;
  lower: Value;
  upper: Value;
  country: string | null;
  mark: "dot" | "square";
  open?: boolean;
}

/** The row of a place: hidden from assistive technology, since its value stands beside it and its interval in the table. */
function Lane({ at, value, lower, upper, country, mark, open }: LaneProps): ComponentChildren {
  const x = (number: number) => `${at(number).toFixed(2)}%`;
  return (
    <span class="lane-box">
      <svg width="100%" height="100%" aria-hidden="true" focusable="false">
        <line class="lane" x1="0" x2="100%" y1="50%" y2="50%" />
        {country ? <line class="country" x1={country} x2={country} y1="0" y2="100%" /> : null}
        {lower !== null && upper !== null ? <line class="range" x1={x(lower)} x2={x(upper)} y1="50%" y2="50%" /> : null}
        {value === null ? null : mark === "square" ? (
          <line class="square" x1={x(value)} x2={x(value)} y1="50%" y2="50%" />
        ) : (
          <circle class={open ? "open" : undefined} cx={x(value)} cy="50%" r="4.5" />
        )}
      </svg>
    </span>
  );
}

function axisOf({ indicator, rows, group, country }: Comparison): { axis: RoundAxis; showsCountry: boolean } {
  const shown = [...rows, ...(hasGroup(group) ? [group] : [])].flatMap(({ value, lower, upper }) => [value, lower, upper]).filter((value) => value !== null);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const reference = country?.value ?? low;
  const [from, to] = [Math.min(low, reference), Math.max(high, reference)];
  const length = high - low || Math.abs(low);
  const showsCountry = to - from <= LONGEST * length;
  const axis = showsCountry ? roundAxis(from, to) : roundAxis(low, high);
  const isShare = indicator.unit === "%" && from >= 0 && to <= 100;
  return { axis: isShare ? { ...axis, low: Math.max(axis.low, 0), high: Math.min(axis.high, 100) } : axis, showsCountry: showsCountry && country?.value != null };
}

/** The unit, the period, the country and the ends of the axis in a line. */
function facts(meta: Meta, { indicator, period: when, country }: Comparison, axis: RoundAxis, showsCountry: boolean): string {
  const year = isOlder(when, meta.released) ? `${period(when)} (${t("common.older")})` : period(when);
  const reference = country?.value ?? null;
  const parts = [indicator.unit ? `${indicator.unit}, ${year}` : year];
  if (meta.country.name) {
    const values = { country: meta.country.name, value: valueText(reference, indicator) };
    parts.push(t(reference === null ? "compare.no_country" : showsCountry ? "compare.country" : "compare.country_outside", values));
  }
  parts.push(t("compare.axis", { low: number(axis.low, axis.decimals), high: number(axis.high, axis.decimals) }));
  return parts.join(" · ");
}

/** Who differs: only pairs whose intervals do not overlap, and the country only where its value is comparable with those of places. */
function sentences({ indicator, rows, country, period: shown }: Comparison, meta: Meta): string[] {
  const sentences: string[] = [];
  if (indicator.is_log_ratio && indicator.change_years) {
    const known = rows.flatMap(({ place, value }) => (value === null ? [] : `${place.name} ${times(value, indicator)}`));
    if (known.length) sentences.push(t("compare.times", { n: indicator.change_years, places: known.join(", ") }));
  }
  const all = pairs(rows);
  const higher = certainlyHigher(rows);
  if (all > 0) {
    const apart = higher.reduce((sum, { lower }) => sum + lower.length, 0);
    if (apart === 0) sentences.push(t("compare.overlap"));
    else {
      sentences.push(`${higher.map(({ row, lower }) => t("compare.higher", { name: row.place.name, others: list(names(lower)) })).join("; ")}.`);
      if (apart < all) sentences.push(t("compare.others_overlap"));
    }
  } else if (rows.filter(({ value }) => value !== null).length > 1) sentences.push(t(indicator.group?.kind === "sum" ? "compare.is_count" : "compare.no_intervals"));
  const reference = country?.value ?? null;
  if (reference !== null && !indicator.depends_on_size) {
    const above = rows.filter(({ lower }) => lower !== null && lower > reference);
    const below = rows.filter(({ upper }) => upper !== null && upper < reference);
    const values = { country: meta.country.name };
    if (above.length > 0) sentences.push(t("compare.above_country", { ...values, places: list(names(above)) }));
    if (below.length > 0) sentences.push(t("compare.below_country", { ...values, places: list(names(below)) }));
  }
  for (const { place, newest } of rows) {
    if (newest !== null && newest !== shown) {
      sentences.push(t(newest > shown ? "compare.newer" : "compare.older", { name: place.name, period: period(newest) }));
    }
  }
  return sentences;
}

const names = (rows: Row[]): string[] => rows.map(({ place }) => place.name);

import type { ComponentChildren } from "preact";
import { totalOf } from "../core/breakdowns";
import type { IndicatorMeta, IndicatorPage, Meta } from "../core/data";
import { differences, expectedByChance } from "../core/differences";
import * as format from "../core/format";
import { levelCount } from "../core/levels";
import { address } from "../core/state";
import { rich, t } from "../core/texts";
import { ShownValue } from "../parts/ShownValue";

/** A sentence of the first page: what is so, and when and how it was found. */
export interface Finding {
  key: string;
  says: ComponentChildren;
  note: ComponentChildren;
}

/** How many of the smallest areas cannot be told from the country. Null without comparisons, or if there are several countries. */
export function likeTheCountry(meta: Meta, indicator: IndicatorMeta, page: IndicatorPage): Finding | null {
  const level = meta.levels.find((candidate) => indicator.newest[candidate.level] && differences(page, candidate.level));
  const counts = level ? differences(page, level.level) : null;
  if (!level || !counts || counts.reference === null) return null;
  const areas = (n: number) => levelCount(level, n);
  const notes = [format.period(indicator.newest[level.level]!), t("home.interval_95"), t("home.by_chance", { n: expectedByChance(counts.similar + counts.higher + counts.lower) })];
  if (counts.too_few) notes.push(t("home.too_few", { n: counts.too_few, areas: areas(counts.too_few) }));
  return {
    key: `${indicator.indicator} country`,
    says: rich("home.like_country", {
      n: counts.similar,
      indicator: <IndicatorLink indicator={indicator} level={level.level} />,
      country: meta.country.name,
      value: <ValueOfCountry meta={meta} indicator={indicator} page={page} period={indicator.newest[level.level]!} value={counts.reference} />,
      areas: <b>{areas(counts.similar)}</b>,
      higher: areas(counts.higher),
      lower: areas(counts.lower),
    }),
    note: notes.join(" · "),
  };
}

/** How the value of the country changed since the first period with an interval. Null across a break, or without intervals. */
export function changeOfCountry(meta: Meta, indicator: IndicatorMeta, page: IndicatorPage): Finding | null {
  const level = page.levels.find((level) => level.count === 1 && level.first === meta.country.area);
  const total = level?.series ? totalOf(level.series.breakdowns) : undefined;
  if (!level?.series || !total?.lower || !total.upper) return null;
  const { periods } = level.series;
  const measured = periods.map((_, position) => position).filter((position) => total.lower![position]?.[0] != null && total.value[position]?.[0] != null);
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  if (page.about.breaks.some(({ period }) => period > periods[first]! && period <= periods[last]!)) return null;
  if (measured.some((position) => position > first && total.status[position]?.[0] === "B")) return null;
  const change = total.lower[last]![0]! > total.upper[first]![0]! ? "risen" : total.upper[last]![0]! < total.lower[first]![0]! ? "fallen" : "within";
  const shown = (position: number) => (
    <ShownValue indicator={indicator} area={meta.country.code} period={periods[position]!} status={total.status[position]?.[0] ?? ""} value={total.value[position]![0]!} />
  );
  return {
    key: `${indicator.indicator} change`,
    says: rich(`home.country_${change}`, {
      indicator: <IndicatorLink indicator={indicator} level={level.level} />,
      country: meta.country.name,
      before: shown(first),
      now: <b>{shown(last)}</b>,
      first: format.period(periods[first]!),
      last: format.period(periods[last]!),
    }),
    note: t("home.intervals_apart"),
  };
}

/** For how many measures there is no data at all. Null if all have some. */
export function withoutData(meta: Meta): Finding | null {
  const declared = meta.measures.filter(({ indicators }) => indicators > 0);
  const without = declared.filter(({ indicators_with_data }) => indicators_with_data === 0).length;
  if (without === 0) return null;
  const measures = (
    <a href={address("measures")}>
      <b>{t("home.measures_count", { n: without })}</b>
    </a>
  );
  return { key: "measures", says: rich("home.measures_without", { n: without, all: declared.length, measures }), note: t("home.measures_note") };
}

/** The value that areas are compared with: that of the country in the period of their level. */
function ValueOfCountry({ meta, indicator, page, period, value }: { meta: Meta; indicator: IndicatorMeta; page: IndicatorPage; period: string; value: number }) {
  const series = page.levels.find((level) => level.count === 1 && level.first === meta.country.area)?.series;
  const position = series?.periods.indexOf(period) ?? -1;
  const status = series && position >= 0 ? totalOf(series.breakdowns)?.status[position]?.[0] : undefined;
  if (!status) return <>{format.withUnit(format.number(value, indicator.decimals), indicator.unit)}</>;
  return <ShownValue indicator={indicator} area={meta.country.code} period={period} status={status} value={value} />;
}

function IndicatorLink({ indicator, level }: { indicator: IndicatorMeta; level: string }) {
  return <a href={address("indicator", { indicator: indicator.indicator, level })}>{indicator.title}</a>;
}

import type { IndicatorPage, Level, Meta } from "../../core/data";
import { difference, interval, isOlder, number, period, shortUnit, valueText, withUnit } from "../../core/format";
import { levelCount, levelName } from "../../core/levels";
import { t } from "../../core/texts";
import type { Row } from "./rows";
import { sortedRows } from "./rows";
import { type Measured, type Point, directionText, frequency, unbroken } from "./words";

interface Props {
  meta: Meta;
  page: IndicatorPage;
  measured: Measured;
  country: { points: Point[]; breaks: number[] } | null;
  level: Level | null;
  rows: Row[];
}

/** The six facts of an indicator: the country, its change, the range, the coverage, the direction, and how often it is made. */
export function Facts({ meta, page, measured, country, level, rows }: Props) {
  const { about, fine } = page;
  const points = country?.points.filter(({ value }) => value !== null) ?? [];
  const last = points.at(-1);
  const same = country ? unbroken(country.points, country.breaks) : [];
  const first = same[0];
  const sorted = sortedRows(rows);
  const finest = meta.levels.find((entry) => entry.level === fine?.level);
  const all = fine ? fine.areas + Object.values(fine.missing).reduce((sum, n) => sum + n, 0) : 0;
  const periods = about.levels.reduce<string[]>((longest, entry) => (entry.periods.length > longest.length ? entry.periods : longest), []);
  return (
    <dl class="facts indicator-facts">
      {last ? (
        <div>
          <dt>
            {meta.country.name} {period(last.period)}
            {isOlder(last.period, meta.released) ? ` · ${t("common.older")}` : ""}
          </dt>
          <dd data-area={meta.country.code}>
            <span data-period={last.period} data-status={last.status}>
              {valueText(last.value, measured)}
            </span>{" "}
            <small>{interval(last.lower, last.upper, measured)}</small>
          </dd>
        </div>
      ) : null}
      {last && first && first.period !== last.period ? (
        <div>
          <dt>{t(first === points[0] ? "indicator.since" : "indicator.since_break", { period: period(first.period) })}</dt>
          <dd>{difference(last.value! - first.value!, measured)}</dd>
        </div>
      ) : null}
      {level && sorted.length > 1 ? (
        <div>
          <dt>{levelName(level)}</dt>
          <dd>{t("indicator.range", { from: number(sorted.at(-1)!.value, measured.decimals), to: withUnit(number(sorted[0]!.value, measured.decimals), shortUnit(measured.unit)) })}</dd>
        </div>
      ) : null}
      {finest && fine ? (
        <div>
          <dt>{t("indicator.coverage")}</dt>
          <dd>
            {levelCount(finest, fine.areas)} {all > fine.areas ? <small>{t("indicator.of_all", { n: all })}</small> : null}
          </dd>
        </div>
      ) : level ? (
        <div>
          <dt>{t("indicator.coverage")}</dt>
          <dd>
            {levelCount(level, sorted.length)} {rows.length > sorted.length ? <small>{t("indicator.of_all", { n: rows.length })}</small> : null}
          </dd>
        </div>
      ) : null}
      <div>
        <dt>{t("indicator.direction")}</dt>
        <dd>{directionText(about, measured)}</dd>
      </div>
      <div>
        <dt>{t("indicator.frequency")}</dt>
        <dd>{frequency(periods)}</dd>
      </div>
      {shortUnit(measured.unit) ? null : (
        <div>
          <dt>{t("indicator.unit")}</dt>
          <dd>{measured.unit}</dd>
        </div>
      )}
    </dl>
  );
}

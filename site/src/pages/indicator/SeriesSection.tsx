import { useRef } from "preact/hooks";
import { type Line, Lines } from "../../charts/Lines";
import { csv } from "../../core/csv";
import type { Level } from "../../core/data";
import { interval, number, period as periodText, valueText } from "../../core/format";
import { capital, levelName } from "../../core/levels";
import { localized } from "../../core/localized";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { DataTable } from "../../parts/DataTable";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import type { Shared } from "./LevelSection";
import { breakNotes, breakPeriodsOf, breaksOf } from "./rows";
import { allOf, onPeriods, periodsOf, seriesOf } from "./series";
import { useAreaSeries } from "./useAreaSeries";
import { type Measured, type Point, changeText, longUnit, sourceLine, unbroken } from "./words";

/** Countries of a pack with several are named in the chart if they are as few. */
const MOST_TOPS = 4;

/** How the country, the chosen area and all areas of a level changed, with breaks drawn and explained. */
export function SeriesSection({ meta, areas, page, measured, title, area, level }: Shared & { area: number | null; level: Level | null }) {
  const figure = useRef<HTMLDivElement>(null);
  const { about } = page;
  const areaSeries = useAreaSeries(page, areas, area)("_T");
  const above = area === null ? [] : areas.above(area);
  const top = meta.country.area ?? above.at(-1) ?? null;
  const between = above.find((other) => other !== top && seriesOf(page, other) !== null) ?? null;
  const named: { name: string; kind: Line["kind"]; points: Point[]; area: number }[] = [];
  const add = (of: number, kind: Line["kind"], points: Point[] | null) =>
    points?.some(({ value }) => value !== null) && named.push({ name: of === meta.country.area ? meta.country.name : areas.name(of), kind, points, area: of });
  const sums = about.group?.kind === "sum";
  // Sums grow with size, and some values depend on it by law: a chosen area then stands alone.
  const alone = area !== null && (sums || about.depends_on_size);
  if (top !== null && !(alone && area !== top)) add(top, "country", seriesOf(page, top));
  const tops = page.levels.at(-1);
  if (top === null && tops && tops.count <= MOST_TOPS) for (let at = 0; at < tops.count; at += 1) add(tops.first + at, "area", seriesOf(page, tops.first + at));
  if (between !== null && !alone) add(between, "area", seriesOf(page, between));
  if (area !== null && area !== top) add(area, "here", areaSeries);
  const background = backgroundLevel(page.levels, level);
  const backdrop = page.levels.find((entry) => entry.level === background);
  const periods = periodsOf([...named.map(({ points }) => points), named.length === 0 && backdrop ? seriesOf(page, backdrop.first) : null]);
  const others = background && !sums && !alone ? allOf(page, background, periods) : [];
  if (periods.length < 2 || (named.length === 0 && others.length === 0)) return null;
  const lines: Line[] = named.map(({ name, kind, points }) => ({ name, kind, points: onPeriods(points, periods) }));
  const breaks = breaksOf(periods, about.breaks);
  const notes = breakNotes(periods, about.breaks);
  const sentences = named.map(({ name, points }) => sentence(name, onPeriods(points, periods), breaks, measured)).filter(Boolean);
  const backgroundLevelMeta = meta.levels.find((entry) => entry.level === background);
  const range = t("indicator.period_range", { from: periodText(periods[0]!), to: periodText(periods.at(-1)!) });
  return (
    <Section id="series" title={t("indicator.series")} aside={[range, longUnit(measured.unit)].filter(Boolean).join(" · ")}>
      <div class="columns wide-left">
        <div>
          <div ref={figure}>
            <Lines periods={periods} lines={lines} others={others} breaks={breaks} breakPeriods={breakPeriodsOf(periods, about.breaks)} decimals={measured.decimals} zero={measured.decimals === 0} summary={`${title}. ${sentences.join(" ")}`} height={280} />
          </div>
          <Disclosure summary={t("indicator.series_table")}>{() => <SeriesTable lines={lines} periods={periods} measured={measured} indicator={about.indicator} codes={named.map(({ area: of }) => areas.code(of))} label={t("indicator.series_table")} />}</Disclosure>
          <ChartActions
            figure={figure}
            title={`${title}, ${range}`}
            source={sourceLine(Object.values(page.sources), meta)}
            name={`${about.indicator}-series`}
            csv={() =>
              csv(
                ["indicator", "name", "time_period", "obs_value", "obs_status", "lower_95", "upper_95"],
                lines.flatMap(({ name, points }) => points.map((point, at) => [about.indicator, name, periods[at]!, point.value, point.status, point.lower ?? null, point.upper ?? null])),
              )
            }
            part="series"
          />
        </div>
        <div>
          {sentences.map((text) => (
            <p key={text}>{text}</p>
          ))}
          {notes.map(({ period, note }) => (
            <p key={period + localized(note)} class="aside-note">
              <b>{t("indicator.break_head", { period: periodText(period) })}</b> {capital(localized(note))}.
            </p>
          ))}
          {notes.length > 0 ? <p class="small">{t("indicator.break_note")}</p> : null}
          {others.length > 1 && backgroundLevelMeta ? <p class="small">{t("indicator.thin_lines", { level: levelName(backgroundLevelMeta) })}</p> : null}
          {lines.some(({ points }) => points.some(({ lower }) => lower !== null && lower !== undefined)) ? <p class="small">{t("indicator.bands_are_intervals")}</p> : null}
        </div>
      </div>
    </Section>
  );
}

/** Thin lines: all areas of the chosen level, if they are few, else of the coarsest one with several areas. */
function backgroundLevel(levels: { level: string; count: number }[], level: Level | null): string | null {
  const several = levels.filter(({ count }) => count > 1);
  if (level && level.count <= 20 && several.some((entry) => entry.level === level.level)) return level.level;
  const last = several.at(-1);
  return last && last.count <= 100 ? last.level : null;
}

function sentence(name: string, points: Point[], breaks: number[], measured: Measured): string {
  const same = unbroken(points, breaks);
  const [first, last] = [same[0], same.at(-1)];
  const all = points.filter(({ value }) => value !== null);
  if (!first || !last || first === last) {
    const only = all.at(-1);
    return only && all.length > 1 && breaks.length > 0 ? t("indicator.broken", { name, value: valueText(only.value, measured), period: periodText(only.period) }) : "";
  }
  return changeText(name, first, last, measured);
}

interface TableProps {
  lines: Line[];
  periods: string[];
  measured: Measured;
  indicator: string;
  codes: string[];
  label: string;
}

/** Lines over time as a table: a row a period, a column a line. */
export function SeriesTable({ lines, periods, measured, indicator, codes, label }: TableProps) {
  return (
    <div data-indicator={indicator}>
      <DataTable
        label={label}
        columns={[{ title: t("indicator.period") }, ...lines.map(({ name }) => ({ title: `${name}${measured.unit ? ` (${measured.unit})` : ""}`, numeric: true }))]}
        rows={periods.map((period, at) => [
          periodText(period),
          ...lines.map(({ points, kind }, line) => {
            const point = points[at]!;
            const range = interval(point.lower, point.upper, { ...measured, unit: "" });
            return (
              <>
                <span data-area={codes[line]} data-period={period} data-status={point.status} data-sex={kind === "women" ? "F" : kind === "men" ? "M" : undefined}>
                  {number(point.value, measured.decimals)}
                </span>
                {range ? ` (${range})` : ""}
              </>
            );
          }),
        ])}
      />
    </div>
  );
}

import { useRef } from "preact/hooks";
import { type Line, Lines } from "../../charts/Lines";
import { csv } from "../../core/csv";
import { difference, period as periodText, valueText } from "../../core/format";
import { capital } from "../../core/levels";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import type { Shared } from "./LevelSection";
import { breakPeriodsOf, breaksOf } from "./rows";
import { onPeriods, periodsOf, seriesOf } from "./series";
import { SeriesTable } from "./SeriesSection";
import { useAreaSeries } from "./useAreaSeries";
import { type Point, sourceLine, valueWithInterval } from "./words";

/** Women and men in the country or in the chosen area: a filled and an open mark. */
export function SexSection({ meta, areas, page, measured, title, area }: Shared & { area: number | null }) {
  const figure = useRef<HTMLDivElement>(null);
  const seriesOfArea = useAreaSeries(page, areas, area);
  const hasValues = (points: Point[] | null) => points?.some(({ value }) => value !== null) ?? false;
  const top = meta.country.area ?? (area === null ? null : (areas.above(area).at(-1) ?? null));
  const place = area !== null && hasValues(seriesOfArea("F")) && hasValues(seriesOfArea("M")) ? area : top;
  const [women, men] = place === area ? [seriesOfArea("F"), seriesOfArea("M")] : [seriesOf(page, place, "F"), seriesOf(page, place, "M")];
  const periods = periodsOf([women, men]);
  if (!women || !men || place === null || periods.length === 0) return null;
  const lines: Line[] = [
    { name: meta.sexes["F"] ?? "F", kind: "women", points: onPeriods(women, periods) },
    { name: meta.sexes["M"] ?? "M", kind: "men", points: onPeriods(men, periods) },
  ];
  const [f, m] = [lines[0]!.points.at(-1)!, lines[1]!.points.at(-1)!];
  const name = place === meta.country.area ? meta.country.name : areas.name(place);
  const last = periods.at(-1)!;
  const both = f.value !== null && m.value !== null;
  const text = both
    ? t("indicator.sexes_text", {
        women: capital(lines[0]!.name),
        men: lines[1]!.name,
        women_value: valueWithInterval(f.value, f.lower ?? null, f.upper ?? null, measured),
        men_value: valueWithInterval(m.value, m.lower ?? null, m.upper ?? null, measured),
        period: periodText(last),
        difference: difference(f.value! - m.value!, measured),
      })
    : "";
  const apart = f.lower !== null && f.lower !== undefined && m.upper !== null && m.upper !== undefined ? (f.lower > m.upper || m.lower! > f.upper! ? t("indicator.sexes_apart") : t("indicator.sexes_overlap")) : "";
  return (
    <Section id="sexes" title={t("indicator.sexes")} aside={name}>
      {periods.length === 1 ? (
        <dl class="facts" data-indicator={page.about.indicator}>
          {lines.map(({ name: sex, points, kind }) => (
            <div key={sex}>
              <dt>
                {sex} {periodText(last)}
              </dt>
              <dd data-area={areas.code(place)}>
                <span data-period={last} data-status={points[0]!.status} data-sex={kind === "women" ? "F" : "M"}>
                  {valueText(points[0]!.value, measured)}
                </span>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <div class="columns wide-left">
          <div>
          <div ref={figure}>
            <Lines periods={periods} lines={lines} breaks={breaksOf(periods, page.about.breaks)} breakPeriods={breakPeriodsOf(periods, page.about.breaks)} decimals={measured.decimals} zero={measured.decimals === 0} summary={`${title}, ${name}. ${text}`} height={220} />
          </div>
          <Disclosure summary={t("indicator.sexes_table")}>
            {() => <SeriesTable lines={lines} periods={periods} measured={measured} indicator={page.about.indicator} codes={[areas.code(place), areas.code(place)]} label={t("indicator.sexes_table")} />}
          </Disclosure>
          <ChartActions
            figure={figure}
            title={`${title}, ${t("indicator.sexes").toLowerCase()}, ${name}`}
            source={sourceLine(Object.values(page.sources), meta)}
            name={`${page.about.indicator}-sexes`}
            csv={() => csv(["indicator", "sex", "time_period", "obs_value", "obs_status"], lines.flatMap(({ points, kind }) => points.map((point, at) => [page.about.indicator, kind === "women" ? "F" : "M", periods[at]!, point.value, point.status])))}
            part="sexes"
          />
          </div>
          <div>
            <p>
              {text} {apart}
            </p>
            <p class="small">{t("indicator.sexes_marks")}</p>
          </div>
        </div>
      )}
      {periods.length === 1 ? (
        <p class="caption">
          {text} {apart}
        </p>
      ) : null}
    </Section>
  );
}

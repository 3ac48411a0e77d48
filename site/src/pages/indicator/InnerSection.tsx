import { useRef, useState } from "preact/hooks";
import { type Line, Lines } from "../../charts/Lines";
import { csv } from "../../core/csv";
import { type Value, load } from "../../core/data";
import { number, period as periodText } from "../../core/format";
import { capital, levelName, mainLevels } from "../../core/levels";
import { address, useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { Disclosure } from "../../parts/Disclosure";
import { NotLoaded } from "../../parts/Failure";
import { Section } from "../../parts/Section";
import type { Shared } from "./LevelSection";
import { breakPeriodsOf, breaksOf } from "./rows";
import { SeriesTable } from "./SeriesSection";
import { sourceLine } from "./words";

interface CohesionFile {
  periods: string[];
  dispersion: { within: number; of_level: string; by_level: string | null; sex: string; statistics: Record<string, Value[]>; n: Value[]; status: string }[];
}

/** How much areas inside the country differ from each other, over time; loaded when asked for. */
export function InnerSection({ meta, areas, page, measured, title, query, area }: Shared & { area: number | null }) {
  const { about } = page;
  const [isOpen, setIsOpen] = useState(query["part"] === "inner");
  const figure = useRef<HTMLDivElement>(null);
  const { value: file, error } = useLoaded(isOpen ? about.indicator : null, () => load<CohesionFile>(`api/v1/cohesion/${encodeURIComponent(about.indicator)}.json`));
  const several = about.levels.filter(({ newest }) => newest).length;
  if (several < 2 || meta.country.area === null) return null;
  const within = area !== null && area !== meta.country.area && file?.dispersion.some((entry) => entry.within === area) ? area : meta.country.area;
  const name = within === meta.country.area ? meta.country.name : areas.name(within);
  const charts = file ? chartsOf(file, within, meta, breaksOf(file.periods, about.breaks).at(-1) ?? 0) : [];
  const link = <a href={address("cohesion", { indicator: about.indicator })}>{t("indicator.inner_link")}</a>;
  return (
    <Section id="inner" title={t("indicator.inner")} aside={file && charts.length > 0 ? `${name} · ${t("indicator.inner_unit")}${measured.unit ? ` (${measured.unit === "%" ? t("common.points") : measured.unit})` : ""}` : undefined}>
      {!isOpen ? (
        <>
          <p>{t("indicator.inner_intro")}</p>
          <p class="actions">
            <button type="button" class="button" onClick={() => setIsOpen(true)}>
              {t("indicator.inner_show")}
            </button>
          </p>
          <p class="small">{link}</p>
        </>
      ) : error ? (
        <NotLoaded />
      ) : !file ? (
        <p role="status">{t("common.loading")}…</p>
      ) : charts.length === 0 ? (
        <p>
          {t("indicator.inner_none")} {link}
        </p>
      ) : (
        <>
          <div ref={figure} class={charts.length > 1 ? "columns two" : ""}>
            {charts.map(({ heading, lines, summary }) => (
              <div key={heading}>
                <h3>{heading}</h3>
                <Lines periods={file.periods} lines={lines} breaks={breaksOf(file.periods, about.breaks)} breakPeriods={breakPeriodsOf(file.periods, about.breaks)} decimals={decimalsOf(lines, measured.decimals)} zero summary={`${title}. ${heading}. ${summary}`} height={210} />
              </div>
            ))}
          </div>
          <p class="caption">
            {charts.map(({ summary }) => summary).join(" ")} {charts.some(({ chance }) => chance) ? t("indicator.inner_chance_note") : ""} {t("indicator.inner_note")} {link}
          </p>
          <Disclosure summary={t("indicator.inner_table")}>
            {() =>
              charts.map(({ heading, lines }) => (
                <div key={heading}>
                  <h4>{heading}</h4>
                  <SeriesTable lines={lines} periods={file.periods} measured={{ decimals: decimalsOf(lines, measured.decimals), unit: "" }} indicator={about.indicator} codes={lines.map(() => areas.code(within))} label={`${t("indicator.inner_table")}, ${heading}`} />
                </div>
              ))
            }
          </Disclosure>
          <ChartActions
            figure={figure}
            title={`${title}, ${t("indicator.inner").toLowerCase()}, ${name}`}
            source={sourceLine(Object.values(page.sources), meta)}
            name={`${about.indicator}-inner`}
            csv={() => csv(["indicator", "chart", "line", "time_period", "value"], charts.flatMap(({ heading, lines }) => lines.flatMap(({ name: line, points }) => points.map(({ value }, at) => [about.indicator, heading, line, file.periods[at]!, value]))))}
            part="inner"
          />
        </>
      )}
    </Section>
  );
}

interface Chart {
  heading: string;
  lines: Line[];
  summary: string;
  chance: boolean;
}

/** Standard deviations of the areas of each level: with what is left without chance where that is known, else all levels in one chart. Words compare periods from `since`. */
function chartsOf(file: CohesionFile, within: number, meta: Shared["meta"], since: number): Chart[] {
  const total = file.dispersion.filter((entry) => entry.within === within && entry.sex === "_T" && entry.by_level === null && entry.statistics["sd"]?.some((value) => value !== null));
  const order = (id: string) => meta.levels.findIndex(({ level }) => level === id);
  total.sort((a, b) => order(a.of_level) - order(b.of_level));
  const adjusted = total.filter((entry) => entry.statistics["sd_left"]?.some((value) => value !== null));
  const titled = (id: string) => meta.levels.find(({ level }) => level === id) ?? { level: id, title: id };
  const line = (name: string, kind: Line["kind"], dispersion: (typeof total)[number], values: Value[]): Line => ({ name, kind, points: values.map((value, at) => ({ value, status: dispersion.status[at] === "P" ? "P" : "A" })) });
  const main = mainLevels(meta);
  const isShown = (dispersion: { of_level: string }) => total.length <= 2 || main.includes(dispersion.of_level);
  if (adjusted.length > 0) {
    return adjusted.filter(isShown).slice(0, 2).map((dispersion) => {
      const heading = t("indicator.inner_between", { level: levelName(titled(dispersion.of_level)) });
      const lines = [
        line(t("indicator.observed"), "area", dispersion, dispersion.statistics["sd"]!),
        line(t("indicator.chance"), "dashed", dispersion, dispersion.statistics["sd_chance"] ?? []),
        line(t("indicator.left"), "here", dispersion, dispersion.statistics["sd_left"]!),
      ].filter(({ points }) => points.some(({ value }) => value !== null));
      return { heading, lines, chance: true, summary: summaryOf(heading, lines.at(-1)!, file.periods, t("indicator.left"), since) };
    });
  }
  if (total.length === 0) return [];
  const lines = total.slice(0, 4).map((dispersion, at) => line(levelName(titled(dispersion.of_level)), at === 0 ? "country" : "area", dispersion, dispersion.statistics["sd"]!));
  return [{ heading: t("indicator.inner_deviation"), lines, chance: false, summary: lines.map((line) => summaryOf(capital(line.name), line, file.periods, "", since)).join(" ") }];
}

function summaryOf(name: string, { points }: Line, periods: string[], what: string, since: number): string {
  const present = points.map(({ value }, at) => [value, at] as const).filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] >= since);
  const [first, last] = [present[0], present.at(-1)];
  if (!first || !last) return "";
  const decimals = Math.abs(last[0]) < 1 ? 2 : Math.abs(last[0]) < 100 ? 1 : 0;
  const values = { name: what ? `${name}, ${what}` : name, first: number(first[0], decimals), from: periodText(periods[first[1]]!), last: number(last[0], decimals), to: periodText(periods[last[1]]!) };
  return first === last ? t("indicator.inner_one", values) : t("indicator.inner_change", values);
}

/** As many decimals as tell small deviations apart. */
function decimalsOf(lines: Line[], decimals: number | null): number {
  const most = Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => Math.abs(value ?? 0))));
  return Math.max(decimals ?? 0, most < 1 ? 2 : most < 100 ? 1 : 0);
}

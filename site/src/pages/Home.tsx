import { useMemo } from "preact/hooks";
import { Map as AreaMap } from "../charts/Map";
import { Legend, type LegendEntry } from "../charts/Legend";
import { Areas } from "../core/areas";
import { totalOf } from "../core/breakdowns";
import { type IndicatorMeta, type IndicatorPage, type Level, type Meta, loadIndicatorPage, loadPlaces } from "../core/data";
import { type Side, side } from "../core/differences";
import * as format from "../core/format";
import { loadShapes } from "../core/geometry";
import { levelCount, regions } from "../core/levels";
import { refuse } from "../core/loading";
import { address, useLoaded } from "../core/state";
import { hasText, rich, t } from "../core/texts";
import type { PageProps } from "../main";
import { Changes } from "../parts/Changes";
import { Dots } from "../parts/Dots";
import { Boundary, NotLoaded } from "../parts/Failure";
import { Search } from "../parts/Search";
import { Section } from "../parts/Section";
import { ShownValue } from "../parts/ShownValue";
import { type Finding, changeOfCountry, likeTheCountry, withoutData } from "../sentences/overview";

/** The first page: a question and a search, a map with a finding, the measures at a glance, findings, and what is new. */
export function Home({ meta, areas: coarse }: PageProps) {
  document.title = meta.title;
  const level = meta.levels.find((entry) => entry.level === meta.home.level) ?? null;
  const above = regions(meta);
  const namesFinest = level === meta.levels[0] || above === meta.levels[0];
  const places = useLoaded(namesFinest ? "places" : null, loadPlaces);
  const areas = useMemo(() => (places.value ? new Areas(meta, places.value) : coarse), [meta, coarse, places.value]);
  const chosen = useMemo(() => meta.home.indicators.flatMap((id) => meta.indicators.find(({ indicator }) => indicator === id) ?? []), [meta]);
  const said = useLoaded("indicators", () => Promise.all(chosen.map((indicator) => loadIndicatorPage(indicator.indicator).then((page) => saidOf(meta, indicator, page), notSaid))));
  const withData = meta.indicators.filter(({ newest }) => Object.keys(newest).length > 0).length;
  const finest = meta.levels[0]!.level;
  const question = `home.question_${finest}`;
  const label = `home.search_${finest}`;
  const like = chosen.map(({ title }, position) => {
    const own = said.value?.[position];
    return own ? own.like : own === null ? { key: title, says: <NotLoaded title={title} />, note: null } : null;
  });
  const change = said.value?.map((own) => own?.change ?? null).find((finding) => finding !== null);
  const findings = [like[0], change, like[1], withoutData(meta)].filter((finding) => finding != null);

  return (
    <>
      <div class="columns wide-left home-head">
        <div>
          <h1>{t(hasText(question) ? question : "home.question")}</h1>
          <p class="lead">{t("home.lead", { n: withData, areas: t("home.areas", { n: meta.levels.reduce((sum, { count }) => sum + count, 0) }) })}</p>
          <Search meta={meta} label={t(hasText(label) ? label : "home.search")} kinds="both" hint={t("home.search_hint")} />
          {above ? (
            <p class="small home-regions">
              {t("home.or_open")}{" "}
              {Array.from({ length: above.count }, (_, position) => above.first + position)
                .filter((area) => areas.name(area))
                .map((area, position) => (
                  <>
                    {position ? ", " : ""}
                    <a href={address("place", { area: areas.code(area) })}>{areas.name(area)}</a>
                  </>
                ))}
            </p>
          ) : null}
        </div>
        <div>
          {level && chosen[0] && (places.value || level !== meta.levels[0]) ? (
            <Boundary instead={<NotLoaded title={chosen[0].title} />}>
              <CountryMap meta={meta} level={level} indicator={chosen[0]} areas={areas} />
            </Boundary>
          ) : null}
        </div>
      </div>
      <Objectives meta={meta} />
      {findings.length ? (
        <Section title={t("home.findings")} aside={t("home.findings_note")}>
          <ul class="findings">
            {findings.map(({ key, says, note }) => (
              <li key={key}>
                <div>{says}</div>
                {note ? <p class="note">{note}</p> : null}
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
      <Section title={t("home.new")} aside={t("home.release", { version: meta.version, date: format.date(meta.released) })}>
        <Changes meta={meta} />
      </Section>
    </>
  );
}

/** What an indicator lets the first page say. */
interface Said {
  like: Finding | null;
  change: Finding | null;
}

/** Null if the file of the indicator is damaged. */
function saidOf(meta: Meta, indicator: IndicatorMeta, page: IndicatorPage): Said | null {
  try {
    return { like: likeTheCountry(meta, indicator, page), change: changeOfCountry(meta, indicator, page) };
  } catch (error) {
    return notSaid(error);
  }
}

function notSaid(error: unknown): null {
  console.error(error);
  refuse();
  return null;
}

const SWATCHES: Record<Side, string> = { lower: "fill-lower", similar: "fill-similar", higher: "fill-higher" };

/** Which areas of a level are lower or higher than the country. */
function CountryMap({ meta, level, indicator, areas }: { meta: Meta; level: Level; indicator: IndicatorMeta } & Pick<PageProps, "areas">) {
  const page = useLoaded(indicator.indicator, () => loadIndicatorPage(indicator.indicator));
  const shapes = useLoaded(level.map, () => loadShapes(level.map!, (code) => areas.parent(areas.find(code) ?? -1)));
  const levelValues = page.value?.levels.find((entry) => entry.level === level.level);
  const country = levelValues?.comparisons?.country;
  const total = levelValues ? totalOf(levelValues.breakdowns) : undefined;
  const values = total?.value;
  const sides = useMemo(() => values?.map((value, position) => side(value, country, position)) ?? [], [values, country]);
  const fill = useMemo(
    () => (code: string) => {
      const sideOfArea = sides[(areas.find(code) ?? -1) - level.first];
      return sideOfArea ? SWATCHES[sideOfArea] : "fill-missing";
    },
    [sides, areas, level],
  );
  const link = address("indicator", { indicator: indicator.indicator, level: level.level });
  if (page.error || shapes.error) return <NotLoaded title={indicator.title} />;
  if (levelValues && !country) return null;
  if (!shapes.value || !values || !levelValues) return <div class="home-map loading" aria-hidden="true" />;

  const count = (counted: Side | null) => sides.filter((sideOfArea) => sideOfArea === counted).length;
  const legend: LegendEntry[] = (["lower", "similar", "higher"] as const).map((sideShown) => ({ swatch: SWATCHES[sideShown], text: t(`home.map_${sideShown}`), count: count(sideShown) }));
  if (count(null)) legend.push({ swatch: "fill-missing", text: t("home.map_missing"), count: count(null) });
  const text = (position: number) => `${areas.name(level.first + position)} ${format.withUnit(format.number(values[position], indicator.decimals), indicator.unit)}`;
  const shown = (position: number) => (
    <>
      {areas.name(level.first + position)}{" "}
      <ShownValue indicator={indicator} area={areas.code(level.first + position)} period={levelValues.period} status={total?.status[position] ?? ""} value={values[position] ?? null} />
    </>
  );
  const positions = values.map((_, position) => position).filter((position) => values[position] !== null);
  if (!positions.length) return null;
  positions.sort((a, b) => values[a]! - values[b]!);
  const [lowest, highest] = [positions[0]!, positions.at(-1)!];
  const counts = { areas: levelCount(level, level.count), lower: count("lower"), similar: count("similar"), higher: count("higher") };
  const whole = totalOf(page.value?.levels.find((entry) => entry.count === 1 && entry.first === meta.country.area)?.breakdowns ?? []);
  return (
    <figure class="home-map">
      <p class="small">
        <b>
          <a href={link}>{indicator.title}</a>
        </b>
        , {format.period(levelValues.period)}
        {whole ? (
          <>
            {` · ${meta.country.name} `}
            <ShownValue indicator={indicator} area={meta.country.code} period={levelValues.period} status={whole.status} value={whole.value[0] ?? null} />
          </>
        ) : null}
      </p>
      <AreaMap
        shapes={shapes.value}
        fill={fill}
        summary={t("home.map_summary", { title: indicator.title, ...counts, lowest: text(lowest), highest: text(highest) })}
        describe={(code) => text((areas.find(code) ?? 0) - level.first)}
        onChoose={(code) => location.assign(address("place", { area: code }))}
      />
      <Legend entries={legend} />
      <figcaption class="note">{rich("home.map_extremes", { lowest: shown(lowest), highest: shown(highest) })}</figcaption>
    </figure>
  );
}

/** A row of the list of measures: a measure, or the other indicators of an objective. */
interface Row {
  number: string;
  title: string;
  anchor: string;
  full: number;
  all: number;
}

/** Objectives with their measures, and a dot for each indicator. */
function Objectives({ meta }: { meta: Meta }) {
  const objectives = meta.objectives.map((objective) => ({ ...objective, rows: rowsOf(meta, objective.objective) })).filter(({ rows }) => rows.length > 0);
  const columns = inColumns(objectives, ({ rows }) => rows.length + 2);
  return (
    <Section title={t("home.objectives")} aside={t("home.dots")}>
      <div class="columns three">
        {columns.map((column) => (
          <div key={column[0]!.objective}>
            {column.map(({ objective, title, rows }) => (
              <div key={objective} class="objective">
                <h3>{title}</h3>
                <p class="small">
                  {objective}
                  {rows.some(({ number }) => number) ? ` · ${t("home.measures_count", { n: rows.filter(({ number }) => number).length })}` : ""}
                </p>
                <ul>
                  {rows.map(({ number, title: name, anchor, full, all }) => (
                    <li key={anchor}>
                      <span class="number" aria-hidden={!number}>
                        {number || "–"}
                      </span>
                      <a href={`${address("measures")}#${anchor}`}>{name}</a>
                      <Dots full={full} all={all} />
                    </li>
                  ))}
                </ul>
              </div>
            ))}
          </div>
        ))}
      </div>
      <p class="small">
        {t("home.cohesion")} <a href={address("cohesion")}>{t("home.cohesion_link")}</a>
      </p>
    </Section>
  );
}

function rowsOf(meta: Meta, objective: string): Row[] {
  const measures = meta.measures.filter((measure) => measure.objective === objective);
  const others = meta.indicators.filter((indicator) => indicator.objective === objective && !indicator.measure);
  const declared = measures.filter(({ indicators }) => indicators > 0);
  const rows: Row[] = declared.map(({ measure, title, indicators, indicators_with_data }) => ({
    number: measure,
    title,
    anchor: `${objective}.${measure}`,
    full: indicators_with_data,
    all: indicators,
  }));
  if (others.length) {
    const full = others.filter(({ newest }) => Object.keys(newest).length > 0).length;
    rows.push({ number: "", title: t(declared.length ? "measures.others" : "measures.all_of_objective"), anchor: `${objective}.others`, full, all: others.length });
  }
  return rows;
}

/** Parts in at most three columns in their order, so that the highest column is as low as it can be. */
function inColumns<T>(parts: T[], height: (part: T) => number): T[][] {
  const total = (some: T[]) => some.reduce((sum, part) => sum + height(part), 0);
  let best: T[][] = [parts];
  for (let first = 1; first < parts.length; first++) {
    for (let second = first; second <= parts.length; second++) {
      const columns = [parts.slice(0, first), parts.slice(first, second), parts.slice(second)].filter((column) => column.length > 0);
      if (Math.max(...columns.map(total)) < Math.max(...best.map(total))) best = columns;
    }
  }
  return best;
}

import { useMemo, useRef } from "preact/hooks";
import { MapPair } from "../../charts/MapPair";
import { type RankingBand, Ranking } from "../../charts/Ranking";
import { axisOf } from "../../charts/scale";
import type { Areas } from "../../core/areas";
import { ofSex } from "../../core/breakdowns";
import type { IndicatorLevel, IndicatorPage, Level, Meta } from "../../core/data";
import { number, period as periodText, shortUnit, valueText, withUnit } from "../../core/format";
import { capital, levelCount, levelName, levelNote } from "../../core/levels";
import { address, type Query, useLoaded } from "../../core/state";
import { rich, t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { Disclosure } from "../../parts/Disclosure";
import { Search } from "../../parts/Search";
import { Section } from "../../parts/Section";
import { Segmented } from "../../parts/Segmented";
import { Extremes } from "./Extremes";
import { LevelTable, rowsCsv } from "./LevelTable";
import { type Row, hasBands, sortedRows } from "./rows";
import { shapesFor } from "./shapes";
import { extremesText, outcomeText, viewsOf } from "./views";
import { type Measured, longUnit, sourceLine } from "./words";

export interface Shared {
  meta: Meta;
  areas: Areas;
  page: IndicatorPage;
  measured: Measured;
  title: string;
  query: Query;
  change: (changes: Record<string, string | null>, replace?: boolean) => void;
}

interface Props extends Shared {
  level: Level;
  data: IndicatorLevel;
  rows: Row[];
  /** The code of the chosen area of this level. */
  chosen: string | null;
  levels: { value: string; text: string }[];
}

/** Where the values of a level are high and low: maps, and the areas in bands against the country. */
export function LevelSection(props: Props) {
  const { query } = props;
  return (
    <>
      {query["part"] && query["part"] !== "map" ? null : <Maps {...props} />}
      {query["part"] && query["part"] !== "ranking" ? null : <Ranks {...props} />}
    </>
  );
}

function Maps({ meta, areas, page, measured, title, query, change, level, data, rows, chosen, levels }: Props) {
  const figure = useRef<HTMLDivElement>(null);
  const { value: shapes, error } = useLoaded(`${level.level} ${level.map}`, () => shapesFor(level, areas));
  const views = useMemo(() => viewsOf(rows, { about: page.about, meta, measured, chosen, named: true }), [rows, chosen]);
  const sources = sourceLine(Object.values(page.sources), meta);
  const heading = `${title}, ${levelName(level)}, ${periodText(data.period)}`;
  const outcome = shapes ?? error;
  const drawn = shapes && [...shapes.paths.keys()].some((code) => rows.some((row) => row.code === code));
  return (
    <Section id="map" title={t("indicator.where")} aside={[periodText(data.period), longUnit(measured.unit)].filter(Boolean).join(" · ")} class="indicator-map">
      <div class="map-choices not-printed">
        {levels.length > 1 ? (
          <Segmented
            label={t("indicator.level")}
            options={levels}
            chosen={level.level}
            onChoose={(value) => {
              change(value === meta.levels[0]!.level && !page.levels.some((entry) => entry.level === value) ? { region: query["region"] ?? null } : { level: value });
              if (value === meta.levels[0]!.level && value !== level.level) document.querySelector<HTMLSelectElement>("#parts select")?.focus();
            }}
          />
        ) : null}
        <Search
          meta={meta}
          label={t("indicator.find_area")}
          kinds="places"
          compact
          accepts={({ area }) => area !== meta.country.area}
          onChoose={({ code }) => change({ area: code, region: null })}
        />
      </div>
      {query["area"] && areas.find(query["area"]) !== null ? (
        <p class="small chosen-area">
          {rich("indicator.chosen", { name: <a class="here" href={address("place", { area: query["area"] })}>{areas.name(areas.find(query["area"])!)}</a> })}{" "}
          <button type="button" class="plain" onClick={() => change({ area: null })}>
            {t("indicator.unchoose")}
          </button>
        </p>
      ) : null}
      <div ref={figure} class={views.length > 1 ? "" : "columns two"}>
        {shapes && drawn ? (
          <MapPair shapes={shapes} views={views} chosen={chosen} onChoose={(code) => change({ area: code })} />
        ) : outcome ? null : (
          <div class="map-waiting" aria-hidden="true" />
        )}
        {views.length > 1 && (drawn || !outcome) ? null : <Extremes rows={rows} measured={measured} period={data.period} />}
      </div>
      <p class="caption">
        {extremesText(rows, measured)} {drawn ? t("indicator.classes_note") : outcome ? t("indicator.no_boundaries") : ""} {drawn && views.length > 1 ? t("indicator.against_note", { country: meta.country.name }) : ""}{" "}
        {page.about.depends_on_size ? t("indicator.size_note") : ""} {shapes?.borders ? t("indicator.borders_note") : ""} {levelNote(level)}
      </p>
      {shapes?.attribution ? <p class="note">{t("indicator.boundaries_from", { source: shapes.attribution })}</p> : null}
      <ChartActions figure={figure} title={heading} source={sources} name={`${page.about.indicator}-${level.level}-map`} csv={() => rowsCsv(rows, level.level, data.period, page.about.indicator)} part="map" />
    </Section>
  );
}

function Ranks({ meta, page, measured, title, query, change, level, data, rows, chosen }: Props) {
  const figure = useRef<HTMLDivElement>(null);
  const sorted = sortedRows(rows);
  if (sorted.length < 2) return null;
  const bands = hasBands(rows);
  const reference = page.about.depends_on_size ? null : referenceOf(rows, page, meta);
  const values = sorted.flatMap(({ value, lower, upper }) => [value, lower, upper]);
  const axis = axisOf([...values, reference], 10);
  const decimals = Number.isInteger(axis.from) && Number.isInteger(axis.to) ? 0 : axis.decimals;
  const ends = `${number(axis.from, decimals)} ${t("indicator.to")} ${withUnit(number(axis.to, decimals), shortUnit(measured.unit))}`;
  const rowOf = (row: (typeof sorted)[number]) => ({ ...row, href: address("indicator", { ...query, area: row.code }) });
  const share = (n: number) => t("indicator.n_of", { n, all: sorted.length });
  const band = (outcomeOfBand: Row["outcome"]): RankingBand[] => {
    const rowsOfBand = sorted.filter(({ outcome }) => outcome === outcomeOfBand).map(rowOf);
    return rowsOfBand.length === 0 ? [] : [{ title: capital(outcomeText(outcomeOfBand, meta.country.name)) || t("indicator.not_compared"), aside: share(rowsOfBand.length), rows: rowsOfBand }];
  };
  const half = Math.ceil(sorted.length / 2);
  const columns: RankingBand[][] = bands
    ? balanced(band("higher"), band("similar"), [...band("lower"), ...band("too_few"), ...band(null)])
    : [
        [{ title: t("indicator.from_highest"), rows: sorted.slice(0, half).map(rowOf) }],
        [{ title: t("indicator.from_highest_continued"), rows: sorted.slice(half).map(rowOf) }],
      ];
  const name = capital(levelName(level));
  const intervals = rows.some(({ lower }) => lower !== null);
  const asides = [reference === null ? "" : t("indicator.vertical_line", { country: meta.country.name, value: valueText(reference, measured) }), t("indicator.axis", { ends })];
  return (
    <Section id="ranking" title={intervals ? t("indicator.with_intervals", { level: name }) : name} aside={asides.filter(Boolean).join(" · ")}>
      <div ref={figure} data-indicator={page.about.indicator}>
        <Ranking columns={columns.filter((bands) => bands.length > 0)} axis={axis} reference={reference} measured={measured} period={data.period} chosen={chosen} onChoose={(code) => change({ area: code })} most={80} />
      </div>
      <p class="caption">{bands ? t("indicator.bands_note", { country: meta.country.name }) : t(intervals ? "indicator.intervals_note" : page.about.group?.kind === "sum" ? "indicator.count_note" : "indicator.list_note")}</p>
      <Disclosure summary={t("indicator.table_of", { areas: levelCount(level, rows.length) })}>
        {() => (
          <div data-indicator={page.about.indicator}>
            <LevelTable label={t("indicator.table_of", { areas: levelCount(level, rows.length) })} rows={rows} period={data.period} meta={meta} measured={measured} />
          </div>
        )}
      </Disclosure>
      <ChartActions
        figure={figure}
        title={`${title}, ${levelName(level)}, ${periodText(data.period)}`}
        source={sourceLine(Object.values(page.sources), meta)}
        name={`${page.about.indicator}-${level.level}`}
        csv={() => rowsCsv(rows, level.level, data.period, page.about.indicator)}
        part="ranking"
      />
    </Section>
  );
}

/** Three groups of bands in two columns that are as even as possible; the middle group has a column of its own where that is as good. */
function balanced(higher: RankingBand[], similar: RankingBand[], lower: RankingBand[]): RankingBand[][] {
  const ways = [
    [[...higher, ...lower], similar],
    [[...higher, ...similar], lower],
    [higher, [...similar, ...lower]],
  ];
  const length = (way: RankingBand[][]) => Math.max(...way.map((bands) => bands.reduce((sum, { rows }) => sum + rows.length + 2, 0)));
  return ways.reduce((best, way) => (length(way) < length(best) ? way : best));
}

/** The value of the country in the period of the level: what values are compared with, else its own newest value if it is of the same period. */
function referenceOf(rows: Row[], page: IndicatorPage, meta: Meta): number | null {
  const compared = new Set(rows.map(({ reference }) => reference).filter((value): value is number => value !== null));
  if (compared.size === 1) return [...compared][0]!;
  if (compared.size > 1 || meta.country.area === null) return null;
  const levelOfCountry = page.levels.find(({ first, count }) => meta.country.area! >= first && meta.country.area! < first + count);
  const total = levelOfCountry && ofSex(levelOfCountry.breakdowns, "_T");
  const value = total?.value[meta.country.area - (levelOfCountry?.first ?? 0)] ?? null;
  const sums = page.about.group?.kind === "sum";
  return sums ? null : value;
}

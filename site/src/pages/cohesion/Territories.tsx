import { useMemo, useRef } from "preact/hooks";
import type { LegendEntry } from "../../charts/Legend";
import { type MapView, MapPair } from "../../charts/MapPair";
import { Ranking, type RankingRow } from "../../charts/Ranking";
import { axisOf } from "../../charts/scale";
import type { Areas } from "../../core/areas";
import { classTexts, classesOf, swatchOf } from "../../core/classes";
import { type CohesionFile, type Direction, type Dispersion, type Pairing, type Statistic, changeOf, convergenceIn, dispersionIn, measured, statusOf } from "../../core/cohesion";
import { csv } from "../../core/csv";
import type { IndicatorMeta } from "../../core/data";
import { byName, list, number, period as periodText, sentence, withUnit } from "../../core/format";
import { loadShapes } from "../../core/geometry";
import { capital, levelCount, levelName } from "../../core/levels";
import { address, useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { Section } from "../../parts/Section";
import { sourceLine } from "../compare/export";
import type { DispersionProps } from "./props";

interface Props extends DispersionProps {
  statistic: Statistic;
  chosen: string | null;
  onChoose: (code: string) => void;
}

/** Names of territories in sentences and in the legend, at most. */
const NAMED = 3;

/** The last period in which most territories have the statistic. */
export function newestPeriod(file: CohesionFile, dispersions: Dispersion[], statistic: string): number {
  const counts = file.periods.map((_, at) => dispersions.filter(({ statistics }) => (statistics[statistic]?.[at] ?? null) !== null).length);
  const most = Math.max(...counts);
  for (let at = counts.length - 1; at >= 0; at--) if (counts[at]! > 0 && counts[at]! >= most / 2) return at;
  return counts.length - 1;
}

/** Which territories have the largest inner differences: in a sentence, on a map and as a ranking. */
export function Territories({ meta, areas, file, indicator, pairing, dispersions, statistic, chosen, onChoose }: Props) {
  const at = newestPeriod(file, dispersions, statistic);
  const when = periodText(file.periods[at] ?? "");
  const form = measured(statistic, indicator);
  const text = (value: number | null) => withUnit(number(value, form.decimals), form.unit.length <= 6 ? form.unit : "");
  const rows = useMemo(() => {
    const ranked: RankingRow[] = [];
    for (const dispersion of dispersions) {
      const value = dispersion.statistics[statistic]?.[at] ?? null;
      if (value === null) continue;
      const code = areas.code(dispersion.within);
      ranked.push({ code, name: areas.name(dispersion.within), value, status: statusOf(dispersion, statistic, at), href: address("cohesion", { indicator: indicator.indicator, level: pairing.level.level, of: pairing.of.level, statistic, area: code }) });
    }
    const collate = byName();
    return ranked.sort((a, b) => b.value - a.value || collate(a.name, b.name));
  }, [dispersions, statistic, at]);
  const whole = dispersionIn(file, meta.country.area, pairing.of.level)?.statistics[statistic]?.[at] ?? null;
  const half = Math.ceil(rows.length / 2);
  const round = axisOf([...rows.map(({ value }) => value), whole], 5, true);
  const axis = { ...round, from: round.from - (round.to - round.from) / 40 };
  const levels = { territories: levelName(pairing.level), of: levelName(pairing.of) };
  const none = rows.filter(({ value }) => Number(value.toFixed(form.decimals)) === 0).length;
  const named = (some: RankingRow[]) => list(some.map(({ name, value }) => `${name} (${text(value)})`));
  const lowest = rows.slice(-NAMED).reverse();
  const figure = useRef<HTMLDivElement>(null);
  const title = t("cohesion.map_title", { territories: levels.territories, period: when });
  return (
    <Section title={indicator.title} aside={`${capital(t(`cohesion.name_${statistic}`))}${form.unit ? `, ${form.unit}` : ""}, ${when}`}>
      <p class="finding">
        <b>{sentence(t("cohesion.largest", { places: named(rows.slice(0, NAMED)) }))}</b>{" "}
        {none > 1 && statistic === "sd_left" ? t("cohesion.none_left", { n: none, total: rows.length }) : sentence(t("cohesion.smallest", { places: named(lowest) }))}
      </p>
      <p class="small">{t(`cohesion.short_${statistic}`, levels)}</p>
      <div ref={figure}>
        <TerritoryMap
          file={file}
          indicator={indicator}
          areas={areas}
          pairing={pairing}
          dispersions={dispersions}
          rows={rows}
          title={title}
          at={at}
          statistic={statistic}
          decimals={form.decimals}
          unit={form.unit}
          text={text}
          chosen={chosen}
          onChoose={onChoose}
        />
      </div>
      <ChartActions
        figure={figure}
        title={`${indicator.title}: ${title}`}
        source={sourceLine([indicator], meta)}
        name={`${indicator.indicator}-${statistic}-${pairing.level.level}`}
        csv={() => csv(["indicator", "within", "name", "of_level", "time_period", "statistic", "value", "status"], rows.map((row) => [indicator.indicator, row.code, row.name, pairing.of.level, file.periods[at] ?? "", statistic, row.value, row.status]))}
        part="map"
      />
      <h3 class="cohesion-subhead">{t("cohesion.ranking", { territories: levels.territories })}</h3>
      <p class="small">
        {sentence(t("cohesion.ranking_axis", { low: number(round.from, round.decimals), high: withUnit(number(round.to, round.decimals), form.unit.length <= 6 ? form.unit : "") }))}
        {whole === null ? "" : ` ${sentence(t("cohesion.ranking_whole", { of: levels.of, country: meta.country.name, value: text(whole) }))}`}
      </p>
      <Ranking
        columns={[
          [{ title: t("cohesion.upper_half"), aside: levelCount(pairing.level, half), rows: rows.slice(0, half) }],
          [{ title: t("cohesion.lower_half"), aside: levelCount(pairing.level, rows.length - half), rows: rows.slice(half) }],
        ]}
        axis={axis}
        reference={whole}
        measured={form}
        period={file.periods[at] ?? ""}
        chosen={chosen}
        onChoose={onChoose}
      />
    </Section>
  );
}

interface MapProps extends Pick<Props, "areas" | "file" | "indicator" | "pairing" | "dispersions" | "statistic" | "chosen" | "onChoose"> {
  rows: RankingRow[];
  title: string;
  at: number;
  decimals: number;
  unit: string;
  text: (value: number | null) => string;
}

/** The territories in classes of a statistic; those without are hatched with the reason. Nothing where there are no boundaries. */
function TerritoryMap({ areas, file, indicator, pairing, dispersions, rows, title, at, statistic, decimals, unit, text, chosen, onChoose }: MapProps) {
  const path = pairing.level.map;
  const shapes = useLoaded(path, () => loadShapes(path!, (code) => areas.parent(areas.find(code) ?? -1)));
  const view = useMemo(() => {
    const values = new Map(rows.map(({ code, value }) => [code, value]));
    const classes = classesOf([...values.values()], decimals);
    const missing = dispersions.filter(({ statistics }) => (statistics[statistic]?.[at] ?? null) === null);
    const single = missing.filter(({ n }) => (n[at] ?? 0) <= 1);
    const isSingle = new Set(single.map(({ within }) => areas.code(within)));
    const fill = (code: string) => {
      const value = values.get(code);
      return value === undefined ? (isSingle.has(code) ? "fill-missing" : "fill-missing-2") : swatchOf(value, classes);
    };
    const texts = classTexts(classes, unit);
    const legend: LegendEntry[] = texts.map((text, number) => ({
      swatch: classes.swatches[number]!,
      text: text,
      count: rows.filter(({ value }) => swatchOf(value, classes) === classes.swatches[number]).length,
    }));
    const names = (some: Dispersion[]) => (some.length <= NAMED ? list(some.map(({ within }) => areas.name(within))) : undefined);
    const others = missing.filter((status) => !single.includes(status));
    if (single.length > 0) legend.push({ swatch: "fill-missing", text: t("cohesion.single"), count: single.length, note: names(single) });
    if (others.length > 0) legend.push({ swatch: "fill-missing-2", text: t("cohesion.undefined"), count: others.length, note: names(others) });
    const ends = [rows[0], rows.at(-1)].filter((row) => row !== undefined);
    const alone = (row: RankingRow) => rows.filter(({ value }) => value.toFixed(decimals) === row.value.toFixed(decimals)).length === 1;
    const labels = ends.filter(alone).filter(({ code }) => code !== chosen).map(({ code, name }) => ({ code, text: name }));
    const chosenArea = chosen === null ? null : areas.find(chosen);
    return {
      title,
      fill,
      legend,
      labels: chosen !== null && chosenArea !== null ? [...labels, { code: chosen, text: areas.name(chosenArea), here: true }] : labels,
      summary: t("cohesion.map_summary", {
        title,
        highest: `${ends[0]?.name ?? ""} ${text(ends[0]?.value ?? null)}`,
        lowest: `${ends[1]?.name ?? ""} ${text(ends[1]?.value ?? null)}`,
        missing: missing.length,
      }),
      describe: (code: string) => `${areas.name(areas.find(code) ?? -1)}: ${values.has(code) ? text(values.get(code)!) : t(isSingle.has(code) ? "cohesion.single" : "cohesion.undefined")}`,
    };
  }, [rows, dispersions, chosen, title]);
  const changes = useMemo(() => changeView(areas, file, indicator, pairing, dispersions), [file, dispersions]);
  if (!path || !shapes.value || rows.length === 0) return null;
  return (
    <figure class={changes ? "cohesion-map" : "cohesion-map single"}>
      <MapPair shapes={shapes.value} views={changes ? [view, changes] : [view]} chosen={chosen} onChoose={onChoose} narrow={0} />
      <figcaption>
        {changes ? `${t("cohesion.change_note")} ` : ""}
        {shapes.value.attribution ? t("cohesion.boundaries", { attribution: shapes.value.attribution }) : ""}
      </figcaption>
    </figure>
  );
}

const SWATCHES: [Direction, string][] = [
  ["closer", "fill-lower"],
  ["same", "fill-similar"],
  ["apart", "fill-higher"],
  ["broken", "fill-missing-2"],
  ["unknown", "fill-missing"],
];

/** Where the differences fell and where they rose; null where that is known of no territory. */
function changeView(areas: Areas, file: CohesionFile, indicator: IndicatorMeta, pairing: Pairing, dispersions: Dispersion[]): MapView | null {
  const directions = new Map<string, Direction>();
  let span = "";
  for (const { within } of dispersions) {
    const convergence = convergenceIn(file, within, pairing.of.level);
    directions.set(areas.code(within), convergence ? changeOf(convergence, indicator).direction : "unknown");
    if (convergence) span = t("cohesion.span", { first: periodText(convergence.first_period), last: periodText(convergence.last_period) });
  }
  const count = (direction: Direction) => [...directions.values()].filter((candidate) => candidate === direction).length;
  if (count("closer") + count("apart") + count("same") === 0) return null;
  const title = t("cohesion.change_title", { span });
  const word = (code: string) => t(`cohesion.direction_${directions.get(code) ?? "unknown"}`);
  return {
    title,
    fill: (code) => SWATCHES.find(([direction]) => direction === (directions.get(code) ?? "unknown"))![1],
    legend: SWATCHES.filter(([direction]) => count(direction) > 0).map(([direction, swatch]) => ({ swatch, text: t(`cohesion.direction_${direction}`), count: count(direction) })),
    summary: t("cohesion.change_summary", { title, closer: count("closer"), apart: count("apart"), total: directions.size }),
    describe: (code) => `${areas.name(areas.find(code) ?? -1)}: ${word(code)}`,
  };
}

import { useMemo, useRef } from "preact/hooks";
import { MapPair } from "../../charts/MapPair";
import { type RankingBand, Ranking } from "../../charts/Ranking";
import { axisOf } from "../../charts/scale";
import { Areas } from "../../core/areas";
import { type Level, loadIndicator, loadPlaces } from "../../core/data";
import { expectedByChance } from "../../core/differences";
import { period as periodText } from "../../core/format";
import { capital, levelCount, levelName } from "../../core/levels";
import { address, useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { Disclosure } from "../../parts/Disclosure";
import { NotLoaded } from "../../parts/Failure";
import { Section } from "../../parts/Section";
import { Extremes } from "./Extremes";
import type { Shared } from "./LevelSection";
import { LevelTable, rowsCsv } from "./LevelTable";
import { type Row, rowsOf, sortedRows } from "./rows";
import { shapesFor } from "./shapes";
import { extremesText, outcomeText, viewsOf } from "./views";
import { longUnit, sourceLine } from "./words";

const WHOLE = "all";

/** The areas of the finest level in one area above, chosen by the reader; loaded when it is chosen. */
export function FineSection({ meta, areas: coarse, page, measured, title, query, change, level, suggested }: Shared & { level: Level; suggested: string | null }) {
  const figure = useRef<HTMLDivElement>(null);
  const parts = level.map_parts;
  const over = parts ? meta.levels.find((entry) => entry.level === parts.level) : undefined;
  const region = query["region"] ?? "";
  const isRegion = region === WHOLE || Boolean(parts?.files[region]);
  const chosenRegion = isRegion ? region : "";
  const loaded = useLoaded(chosenRegion || null, async () => {
    const [file, places] = await Promise.all([loadIndicator(page.about.indicator), loadPlaces()]);
    const areas = new Areas(meta, places);
    const path = chosenRegion === WHOLE ? level.map : (parts?.files[chosenRegion] ?? null);
    return { data: file.levels.find((entry) => entry.level === level.level), areas, shapes: await shapesFor(level, areas, path), region: chosenRegion };
  });
  const shown = loaded.value?.region === chosenRegion ? loaded.value : undefined;
  const rows = useMemo(() => {
    if (!shown?.data) return [];
    const all = rowsOf(shown.data, shown.areas, page.about);
    return shown.region === WHOLE ? all : all.filter(({ code }) => shown.shapes.paths.has(code));
  }, [shown]);
  const chosen = query["area"] && shown?.shapes.paths.has(query["area"]) ? query["area"] : null;
  const views = useMemo(() => (rows.length > 0 ? viewsOf(rows, { about: page.about, meta, measured, chosen, named: shown?.region !== WHOLE && rows.length < 60 }) : []), [rows, chosen]);
  const name = over ? coarse.name(coarse.find(chosenRegion) ?? -1) : "";
  const heading = chosenRegion && chosenRegion !== WHOLE ? t("indicator.fine_of", { level: capital(levelName(level)), name }) : capital(levelName(level));
  const newest = page.about.levels.find((entry) => entry.level === level.level)?.newest ?? "";
  const different = rows.filter(({ outcome }) => outcome === "lower" || outcome === "higher").length;
  const compared = different + rows.filter(({ outcome }) => outcome === "similar").length;
  return (
    <Section id="parts" title={heading} aside={[periodText(newest), longUnit(measured.unit)].filter(Boolean).join(" · ")}>
      <p class="part-choice not-exported">
        <label>
          {over ? t("indicator.choose_part", { level: over.title }) : t("indicator.choose_fine")}{" "}
          <select value={chosenRegion || (suggested ?? "")} onChange={(event) => change({ region: event.currentTarget.value || null })}>
            <option value="">{t("indicator.choose")}</option>
            {Object.keys(parts?.files ?? {}).map((code) => (
              <option key={code} value={code}>
                {coarse.name(coarse.find(code) ?? -1) || code}
              </option>
            ))}
            <option value={WHOLE}>{t("indicator.whole", { name: meta.country.area === null ? meta.title : meta.country.name })}</option>
          </select>
        </label>{" "}
        {suggested && !chosenRegion ? (
          <button type="button" class="button" onClick={() => change({ region: suggested })}>
            {t("indicator.show_part")}
          </button>
        ) : (
          <span class="note">{chosenRegion ? "" : t("indicator.loaded_on_request")}</span>
        )}
      </p>
      {chosenRegion && !shown ? loaded.error ? <NotLoaded /> : <p role="status">{t("common.loading")}…</p> : null}
      {shown && views.length > 0 ? (
        <>
          <div ref={figure} class={views.length > 1 ? "" : "columns two"}>
            <MapPair key={chosenRegion} shapes={shown.shapes} views={views} chosen={chosen} onChoose={(code) => change({ area: code })} narrow={views.length > 1 ? 1 : undefined} />
            {views.length > 1 ? null : <Extremes rows={rows} measured={measured} period={newest} />}
          </div>
          <p class="caption">
            {extremesText(rows, measured)}{" "}
            {views.length > 1 ? t("indicator.fine_note", { n: different, all: compared, chance: expectedByChance(compared), country: meta.country.name }) : ""}{" "}
            {shown.shapes.borders ? t("indicator.borders_note") : ""}
          </p>
          {views.length > 1 && shown.region !== WHOLE ? <Differing rows={rows} period={newest} meta={meta} measured={measured} indicator={page.about.indicator} chosen={chosen} query={query} change={change} /> : null}
          {shown.region === WHOLE ? null : (
            <Disclosure summary={t("indicator.table_of", { areas: levelCount(level, rows.length) })}>
              {() => (
                <div data-indicator={page.about.indicator}>
                  <LevelTable label={`${t("indicator.table_of", { areas: levelCount(level, rows.length) })}, ${name}`} rows={rows} period={shown.data!.period} meta={meta} measured={measured} />
                </div>
              )}
            </Disclosure>
          )}
          <ChartActions
            figure={figure}
            title={`${title}, ${heading}, ${periodText(newest)}`}
            source={sourceLine(Object.values(page.sources), meta)}
            name={`${page.about.indicator}-${chosenRegion}`}
            csv={() => rowsCsv(rows, level.level, newest, page.about.indicator)}
            part="parts"
          />
        </>
      ) : shown ? (
        <p>{t("indicator.no_data")}</p>
      ) : null}
    </Section>
  );
}

type DifferingProps = Pick<Shared, "meta" | "measured" | "query" | "change"> & { rows: Row[]; period: string; indicator: string; chosen: string | null };

/** Only the areas above and below the country: the others are not different, or cannot be compared. */
function Differing({ rows, period, meta, measured, indicator, chosen, query, change }: DifferingProps) {
  const sorted = sortedRows(rows);
  const band = (outcomeOfBand: Row["outcome"]): RankingBand[] => {
    const rowsOfBand = sorted.filter(({ outcome }) => outcome === outcomeOfBand).map((row) => ({ ...row, href: address("indicator", { ...query, area: row.code }) }));
    return rowsOfBand.length === 0 ? [] : [{ title: capital(outcomeText(outcomeOfBand, meta.country.name)), aside: t("indicator.n_of", { n: rowsOfBand.length, all: sorted.length }), rows: rowsOfBand }];
  };
  const columns = [band("higher"), band("lower")].filter((bands) => bands.length > 0);
  if (columns.length === 0) return null;
  const shown = sorted.filter(({ outcome }) => outcome === "higher" || outcome === "lower");
  const references = new Set(shown.map(({ reference }) => reference));
  const reference = references.size === 1 ? shown[0]!.reference : null;
  const axis = axisOf([reference, ...shown.flatMap(({ value, lower, upper }) => [value, lower, upper])], 10);
  return (
    <div data-indicator={indicator} class="differing">
      <Ranking columns={columns} axis={axis} reference={reference} measured={measured} period={period} chosen={chosen} onChoose={(code) => change({ area: code })} most={12} />
    </div>
  );
}

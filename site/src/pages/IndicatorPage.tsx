import { useEffect, useMemo } from "preact/hooks";
import { Areas, placesOf } from "../core/areas";
import { type IndicatorMeta, type Level, findPlace, loadBundle, loadIndicatorPage, loadPlaces } from "../core/data";
import { formulaOf } from "../core/formula";
import { levelName } from "../core/levels";
import { awaited } from "../core/loading";
import { localized } from "../core/localized";
import { address, type Query, useLoaded, useQuery } from "../core/state";
import { t } from "../core/texts";
import type { PageProps } from "../main";
import { Crumbs } from "../parts/Crumbs";
import { NotLoaded } from "../parts/Failure";
import { FormulaLine } from "../parts/FormulaLine";
import { IndicatorList } from "./IndicatorList";
import { DistributionSection } from "./indicator/DistributionSection";
import { Facts } from "./indicator/Facts";
import { FineSection } from "./indicator/FineSection";
import { InnerSection } from "./indicator/InnerSection";
import { Knowledge } from "./indicator/Knowledge";
import { LevelSection, type Shared } from "./indicator/LevelSection";
import { NoValues } from "./indicator/NoValues";
import { SeriesSection } from "./indicator/SeriesSection";
import { SexSection } from "./indicator/SexSection";
import { breaksOf, rowsOf } from "./indicator/rows";
import { seriesOf } from "./indicator/series";
import { sourceLine } from "./indicator/words";

/** Levels with more areas are shown part by part. */
const MOST = 400;
/** A first map of more areas is hard to read. */
const EASY = 120;

/** `indicator.html?indicator=ID&level=LEVEL&area=CODE&region=CODE`: one indicator in all areas. */
export function IndicatorPage(props: PageProps) {
  const [query, change] = useQuery();
  const id = query["indicator"];
  if (!id) return <IndicatorList {...props} />;
  const indicator = props.meta.indicators.find((entry) => entry.indicator === id);
  const { meta } = props;
  const named = meta.country.area === null ? { ...meta, country: { ...meta.country, name: t("indicator.own_country") } } : meta;
  return indicator ? <One key={id} {...props} meta={named} indicator={indicator} query={query} change={change} /> : <Unknown id={id} title={props.meta.title} />;
}

function Unknown({ id, title }: { id: string; title: string }) {
  useEffect(() => {
    document.title = `${t("indicator.unknown")} – ${title}`;
    awaited(Promise.reject(new Error(id))).catch(() => undefined);
  }, [id]);
  return (
    <div class="page-head">
      <h1>{t("indicator.unknown")}</h1>
      <p class="lead">{t("indicator.unknown_text", { id })}</p>
      <p>
        <a href={address("indicator")}>{t("nav.indicator")}</a>
      </p>
    </div>
  );
}

interface OneProps extends PageProps {
  indicator: IndicatorMeta;
  query: Query;
  change: Shared["change"];
}

function One({ meta, areas, indicator, query, change }: OneProps) {
  const { title, objective, measure } = indicator;
  useEffect(() => {
    document.title = `${title} – ${meta.title}`;
  }, [title]);
  const hasValues = Object.keys(indicator.newest).length > 0;
  const heading = meta.objectives.find((entry) => entry.objective === objective);
  const measures = `${address("measures")}#${objective}`;
  const links = [{ text: t("nav.indicator"), href: address("indicator") }];
  if (heading) links.push({ text: `${objective} ${heading.title}`, href: measures });
  if (measure) links.push({ text: t("indicator.measure", { measure }), href: `${measures}.${measure}` });
  return (
    <>
      <Crumbs links={links} />
      <h1>{title}</h1>
      {hasValues ? <Values meta={meta} areas={areas} indicator={indicator} query={query} change={change} /> : <NoValues meta={meta} indicator={indicator} />}
    </>
  );
}

function Values({ meta, areas: coarse, indicator, query, change }: OneProps) {
  const id = indicator.indicator;
  const { value: page, error } = useLoaded(id, () => loadIndicatorPage(id));
  const code = query["area"] ?? "";
  const finest = meta.levels[0]!;
  const small = finest.count > MOST && code && coarse.find(code) === null ? code : null;
  const { value: places, error: placesError } = useLoaded(finest.count <= MOST ? "places" : small, async () => {
    if (!small) return loadPlaces();
    const location = await findPlace(meta, small);
    return location && placesOf(await loadBundle(location.bundle), finest);
  });
  const areas = useMemo(() => (places ? new Areas(meta, places) : coarse), [places]);
  const area = code ? areas.find(code) : null;
  const above = area === null ? [] : [area, ...areas.above(area)];

  const several = useMemo(() => page?.levels.filter(({ count }) => count > 1) ?? [], [page]);
  const shown = several.find(({ level }) => level === query["level"]) ?? several.filter(({ count }) => count <= EASY)[0] ?? several.at(-1);
  const level = meta.levels.find((entry) => entry.level === shown?.level) ?? null;
  const rows = useMemo(() => (shown && page ? rowsOf(shown, areas, page.about) : []), [shown, page, areas]);
  const fine = page && finest.count > MOST && indicator.newest[finest.level] ? finest : null;

  const parts = fine?.map_parts;
  const measured = useMemo(() => ({ decimals: indicator.decimals, unit: indicator.unit }), [indicator]);
  const region = (parts && above.map((area) => areas.code(area)).find((area) => parts.files[area])) ?? null;

  const inLevel = level ? above.find((area) => area >= level.first && area < level.first + level.count) : undefined;
  const chosen = inLevel === undefined ? null : areas.code(inLevel);
  const part = query["part"];
  const only = (name: string) => !part || part === name;
  const shared: Shared | null = page && (finest.count > MOST || places) ? { meta, areas, page, measured, title: indicator.title, query, change } : null;
  // What a choice does not concern is not drawn again.
  const overview = useMemo(() => {
    if (!shared) return null;
    const series = seriesOf(shared.page, meta.country.area);
    const formula = formulaOf(shared.page.about.formula, id);
    return (
      <>
        <p class="lead">{localized(shared.page.about.description)}</p>
        {formula ? <FormulaLine formula={formula} inputs={shared.page.about.inputs ?? {}} meta={meta} /> : null}
        <Facts meta={meta} page={shared.page} measured={measured} country={series ? { points: series, breaks: breaksOf(series.map(({ period }) => period), shared.page.about.breaks) } : null} level={level} rows={rows} />
      </>
    );
  }, [page, rows]);
  const municipal = useMemo(() => (shared && fine ? <FineSection {...shared} level={fine} suggested={region} /> : null), [page, areas, region, query["region"], query["area"]]);
  const distribution = useMemo(() => (shared ? <DistributionSection {...shared} /> : null), [page, areas]);
  const series = useMemo(() => (shared ? <SeriesSection {...shared} area={area} level={level} /> : null), [page, areas, area, level]);
  const others = useMemo(
    () =>
      shared ? (
        <>
          {only("sexes") ? <SexSection {...shared} area={area} /> : null}
          {only("inner") ? <InnerSection {...shared} area={area} /> : null}
        </>
      ) : null,
    [page, areas, area, part],
  );
  const knowledge = useMemo(() => (shared ? <Knowledge {...shared} /> : null), [page, areas]);

  if (error || (placesError && finest.count <= MOST)) return <NotLoaded />;
  if (!shared) return <p role="status">{t("common.loading")}…</p>;
  const options = [...several].reverse().map((entry) => ({ value: entry.level, text: levelName(levelOf(meta.levels, entry.level)) }));
  if (fine) options.push({ value: fine.level, text: levelName(fine) });
  return (
    <div data-indicator={id}>
      {part ? null : overview}
      {shown && level ? <LevelSection {...shared} level={level} data={shown} rows={rows} chosen={chosen} levels={options} /> : null}
      {only("parts") ? municipal : null}
      {only("distribution") ? distribution : null}
      {only("series") ? series : null}
      {others}
      {part ? null : knowledge}
      {query["embed"] ? (
        <p class="note">
          {sourceLine(Object.values(shared.page.sources), meta)} <a href={address("indicator", { ...query, embed: null, part: null })} target="_top">{t("indicator.full_page")}</a>
        </p>
      ) : null}
    </div>
  );
}

const levelOf = (levels: Level[], id: string): Level => levels.find(({ level }) => level === id)!;

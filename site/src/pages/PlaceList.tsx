import { useMemo } from "preact/hooks";
import { Areas } from "../core/areas";
import { loadPlaces } from "../core/data";
import { number } from "../core/format";
import { Hierarchy } from "../core/hierarchy";
import { capital, levelCount, levelName } from "../core/levels";
import { address, useLoaded, useQuery } from "../core/state";
import { hasText, t } from "../core/texts";
import type { PageProps } from "../main";
import { Crumbs } from "../parts/Crumbs";
import { NotLoaded } from "../parts/Failure";
import { Search } from "../parts/Search";
import { Section } from "../parts/Section";

/** The page of places when none is chosen: a search, and all areas by the area above. `?within=CODE` shows those below one area. */
export function PlaceList({ meta }: PageProps) {
  const [query] = useQuery();
  const places = useLoaded("places", loadPlaces);
  const areas = useMemo(() => (places.value ? new Areas(meta, places.value) : null), [meta, places.value]);
  const tree = useMemo(() => (areas ? new Hierarchy(meta, areas) : null), [meta, areas]);
  const label = `home.search_${meta.levels[0]!.level}`;
  document.title = `${t("page.place.title")} – ${meta.title}`;

  const head = (
    <>
      <h1>{t("page.place.title")}</h1>
      <p class="lead">{t("places.lead")}</p>
      <Search meta={meta} label={t(hasText(label) ? "places.search_lau" : "places.search")} kinds="places" hint={t("home.search_hint")} />
    </>
  );
  if (!areas || !tree) {
    return (
      <div class="page-head">
        {head}
        {places.error ? <NotLoaded /> : null}
      </div>
    );
  }

  const within = query["within"] ? areas.find(query["within"]) : null;
  if (within === null || within === tree.top) {
    return (
      <>
        <div class="page-head">
          {head}
          {query["within"] && within === null ? <p role="alert">{t("places.unknown", { code: query["within"] })}</p> : null}
        </div>
        <Overview areas={areas} tree={tree} />
      </>
    );
  }
  const above = areas.above(within).filter((area) => area !== tree.top);
  const path = [{ text: t("page.place.title"), href: address("place") }, ...above.reverse().map((area) => ({ text: areas.name(area), href: address("place", { within: areas.code(area) }) }))];
  document.title = `${areas.name(within)} – ${t("page.place.title")} – ${meta.title}`;
  return (
    <>
      <Crumbs links={path} />
      <h1>{areas.name(within)}</h1>
      <p class="lead">
        {areas.level(within).title}
        {areas.population(within) === null ? "" : `, ${t("search.inhabitants", { n: areas.population(within)!, number: number(areas.population(within)) })}`}
      </p>
      <p class="actions">
        <a class="button" href={address("place", { area: areas.code(within) })}>
          {t("places.open", { name: areas.name(within) })}
        </a>
      </p>
      <p class="note">{t("places.numbers")}</p>
      {tree.byLevel(within).map(({ level, areas: listed }) => (
        <Section key={level.level} title={capital(levelName(level))} aside={levelCount(level, listed.length)}>
          {hasText(`places.note_${level.level}`) ? <p class="note">{t(`places.note_${level.level}`)}</p> : null}
          <AreaList areas={areas} tree={tree} listed={listed} />
        </Section>
      ))}
      {tree.below(within).length === 0 ? <p>{t("places.nothing_below")}</p> : null}
    </>
  );
}

interface ListProps {
  areas: Areas;
  tree: Hierarchy;
}

/** The areas below the top one, each with those of its areas that have areas below themselves. */
function Overview({ areas, tree }: ListProps) {
  return (
    <>
      {tree.byLevel(tree.top).map(({ level, areas: listed }) => (
        <Section key={level.level} title={capital(levelName(level))} aside={levelCount(level, listed.length)}>
          {listed.some((area) => tree.below(area).length) ? (
            <ul class="regions">
              {listed.map((area) => (
                <li key={area}>
                  <h3>
                    <a href={address("place", { within: areas.code(area) })}>{areas.name(area)}</a>
                  </h3>
                  <Inner areas={areas} tree={tree} area={area} />
                </li>
              ))}
            </ul>
          ) : (
            <AreaList areas={areas} tree={tree} listed={listed} />
          )}
        </Section>
      ))}
    </>
  );
}

/** The areas below one of the overview, as links in a line: those that have areas below, or all of the coarsest level. */
function Inner({ areas, tree, area }: ListProps & { area: number }) {
  const levels = tree.byLevel(area);
  const shown = levels.find(({ areas: candidates }) => candidates.some((below) => tree.below(below).length)) ?? levels[0];
  if (!shown) return null;
  return (
    <p class="small">
      {capital(levelName(shown.level))}:{" "}
      {shown.areas.map((below, position) => (
        <>
          {position ? ", " : ""}
          <AreaLink areas={areas} tree={tree} area={below} />
        </>
      ))}
    </p>
  );
}

/** To the list of what is below an area, or to its page if nothing is. */
function AreaLink({ areas, tree, area }: ListProps & { area: number }) {
  const code = areas.code(area);
  return <a href={address("place", tree.below(area).length ? { within: code } : { area: code })}>{areas.name(area)}</a>;
}

/** A list in columns: name, inhabitants or the number of areas below; areas that have ended come last. */
function AreaList({ areas, tree, listed }: ListProps & { listed: number[] }) {
  const present = listed.filter((area) => !areas.isFormer(area));
  const former = listed.filter((area) => areas.isFormer(area));
  const row = (area: number) => (
    <li key={area}>
      <AreaLink areas={areas} tree={tree} area={area} />
      <span class="note">{areas.isFormer(area) ? t("search.former") : number(areas.population(area))}</span>
    </li>
  );
  return <ul class="area-list">{[...present, ...former].map(row)}</ul>;
}

import { type Areas, knownCode } from "../core/areas";
import type { Meta, Within } from "../core/data";
import { date, list, number, period, withUnit } from "../core/format";
import { capital, uncapital } from "../core/levels";
import { address } from "../core/state";
import { t } from "../core/texts";
import { Crumbs } from "../parts/Crumbs";
import { Locator } from "./Locator";
import type { Place } from "./model";
import { aboveOf, peersName } from "./words";

const MOST_COMPARED = 6;

interface Props {
  place: Place;
  areas: Areas;
  meta: Meta;
  within: Within | null;
}

/** Path, name, facts, similar places, what can be done, and where the place lies. */
export function Head({ place, areas, meta, within }: Props) {
  const above = aboveOf(place, areas);
  const at = within?.areas.indexOf(place.area) ?? -1;
  const ended = within?.ended?.[String(place.area)];
  const compared = [place.code, ...place.peers.map(({ code }) => code)].slice(0, MOST_COMPARED);
  return (
    <>
      <Crumbs links={[...above].reverse().map((area) => ({ text: areas.name(area), href: address("place", { area: areas.code(area) }) }))} />
      <div class="columns wide-left place-head">
        <div>
          <h1>
            {place.name}
            {saysLevel(place, areas) ? <small> {areas.level(place.area).title}</small> : null}
          </h1>
          {ended ? <p class="aside-note">{t("place.ended", { date: date(ended) })}</p> : null}
          <Facts place={place} areas={areas} meta={meta} size={within?.area_km2?.[at] ?? null} />
          {place.peers.length > 0 ? (
            <p class="small similar">
              <b>{capital(peersName(place.level))}:</b>{" "}
              {place.peers.map(({ code, name }, position) => (
                <>
                  {position ? ", " : ""}
                  <a href={address("place", { area: code })}>{name}</a>
                </>
              ))}
              .{meta.peers_by?.length ? ` ${t("place.similar_by", { by: list(meta.peers_by.map(uncapital)) })}` : ""}
            </p>
          ) : null}
          <p class="actions">
            <a class="button" href={address("compare", { areas: compared.join(",") })}>
              {place.peers.length > 0 ? t("place.compare_similar") : t("place.compare")}
            </a>
            <a class="button" href="#files">
              {t("place.download")}
            </a>
            <button type="button" class="button" onClick={() => print()}>
              {t("place.print")}
            </button>
          </p>
        </div>
        <div>
          <Locator place={place} areas={areas} meta={meta} point={within?.points?.[at] ?? null} />
        </div>
      </div>
    </>
  );
}

/** Whether the name needs its level beside it: a district often has the name of its town. */
function saysLevel(place: Place, areas: Areas): boolean {
  const level = areas.level(place.area);
  return level !== areas.finest && place.parent !== null && !place.name.toLocaleLowerCase().includes(level.title.toLocaleLowerCase());
}

function Facts({ place, areas, meta, size }: { place: Place; areas: Areas; meta: Meta; size: number | null }) {
  const population = place.rows.find((row) => row.about.indicator === "population");
  const inhabitants = population?.value ?? areas.population(place.area);
  const above = aboveOf(place, areas).filter((area) => area !== meta.country.area);
  return (
    <dl class="facts">
      {inhabitants !== null ? (
        <div>
          <dt>{population ? t("place.inhabitants_in", { period: period(population.period) }) : t("place.inhabitants")}</dt>
          <dd>{number(inhabitants)}</dd>
        </div>
      ) : null}
      {size !== null ? (
        <div>
          <dt>{t("place.area")}</dt>
          <dd>{withUnit(number(size, size < 100 ? 1 : 0), "km²")}</dd>
        </div>
      ) : null}
      {above.map((area) => (
        <div key={area}>
          <dt>{capital(areas.level(area).title)}</dt>
          <dd>{areas.name(area)}</dd>
        </div>
      ))}
      <div>
        <dt>{t("place.code")}</dt>
        <dd>{knownCode(place.code)}</dd>
      </div>
      <div>
        <dt>{t("place.kind")}</dt>
        <dd>{areas.level(place.area).title}</dd>
      </div>
    </dl>
  );
}

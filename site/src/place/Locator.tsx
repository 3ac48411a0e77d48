import { type Areas } from "../core/areas";
import type { Level, Meta } from "../core/data";
import { type Point, loadShapes } from "../core/geometry";
import { useLoaded } from "../core/state";
import { t } from "../core/texts";
import type { Place } from "./model";
import { aboveOf } from "./words";

const MOST_AREAS = 400;

/** A small map: the area, or the one above it, inside the one above that. Nothing where the release has no boundaries. */
export function Locator({ place, areas, meta, point }: { place: Place; areas: Areas; meta: Meta; point: Point | null }) {
  const level = levelOf(place, areas);
  const shapes = useLoaded(level?.map ?? null, () => loadShapes(level!.map!));
  if (!level) return null;
  const shown = place.level === level.level ? place.area : place.parent;
  const chosen = shown === null ? "" : areas.code(shown);
  const wider = shown === null ? null : areas.parent(shown);
  const around = wider === null || wider === meta.country.area ? [] : areas.below(wider).map((area) => areas.code(area));
  const above = aboveOf(place, areas).filter((area) => area !== meta.country.area);
  const summary = above.length ? t("place.locator", { name: place.name, above: above.map((area) => areas.name(area)).join(", ") }) : place.name;
  const { value } = shapes;
  const dot = value && point ? value.place(...point) : null;
  return (
    <svg class="locator" role="img" aria-label={summary} viewBox={`0 0 ${value?.width ?? 570} ${value?.height ?? 330}`}>
      {value
        ? [...value.paths].map(([code, path]) => (
            <path key={code} class={code === chosen ? "own" : place.parent === null || around.includes(code) ? "around" : "land"} d={path} />
          ))
        : null}
      {dot && place.level !== level.level ? <circle class="here" cx={dot[0]} cy={dot[1]} r="9" /> : null}
    </svg>
  );
}

/** The level whose areas the map draws: that of the place if it has few areas, else that of the area above it. */
function levelOf(place: Place, areas: Areas): Level | null {
  const levelOfPlace = areas.level(place.area);
  const level = levelOfPlace.count <= MOST_AREAS ? levelOfPlace : place.parent === null ? null : areas.level(place.parent);
  return level?.map ? level : null;
}

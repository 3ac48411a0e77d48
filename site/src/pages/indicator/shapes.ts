// The boundaries for a map of a level; points where there are none.
import type { Areas } from "../../core/areas";
import type { Level } from "../../core/data";
import { load } from "../../core/data";
import { type Shapes, loadShapes, pointShapes } from "../../core/geometry";

interface Located {
  areas: { code: string[]; lon: (number | null)[]; lat: (number | null)[]; valid_to: (string | null)[] };
}

/** Shapes of a file of boundaries, or points of the areas of the level. */
export async function shapesFor(level: Level, areas: Areas, path: string | null = level.map): Promise<Shapes> {
  const above = (code: string) => {
    const area = areas.find(code);
    return area === null ? null : areas.parent(area);
  };
  if (path) return loadShapes(path, above);
  const { code, lon, lat, valid_to } = (await load<Located>("api/v1/areas.json")).areas;
  const points: { code: string; longitude: number; latitude: number }[] = [];
  for (let area = level.first; area < level.first + level.count; area += 1) {
    const [longitude, latitude] = [lon[area], lat[area]];
    if (longitude === null || longitude === undefined || latitude === null || latitude === undefined || valid_to[area]) continue;
    points.push({ code: code[area]!, longitude, latitude });
  }
  return pointShapes(points);
}

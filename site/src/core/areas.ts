// Names, levels and relations of areas by their number. Areas of the finest level are known once `places.json` is loaded.
import type { Bundle, Level, Meta, Places, Value } from "./data";

/** A code as people know it: without the prefix of its scheme, such as "CZ_" of "CZ_578347". Only for display: files have the whole code. */
export const knownCode = (code: string): string => code.replace(/^[A-Z]{2}_(?:[A-Z]+_)?(?=\d)/, "");

export class Areas {
  private byCode: Map<string, number> | undefined;

  constructor(
    private readonly meta: Meta,
    readonly places: Places | null = null,
  ) {}

  get finest(): Level {
    return this.meta.levels[0]!;
  }

  level(area: number): Level {
    return this.meta.levels.find((level) => area >= level.first && area < level.first + level.count) ?? this.finest;
  }

  code(area: number): string {
    return this.at(area, (columns) => columns.code) ?? "";
  }

  name(area: number): string {
    if (area === this.meta.country.area) return this.meta.country.name;
    return this.at(area, (columns) => columns.name) ?? this.code(area);
  }

  parent(area: number): number | null {
    return this.at(area, (columns) => columns.parent) ?? null;
  }

  population(area: number): Value {
    return this.at(area, (columns) => columns.population) ?? null;
  }

  bundle(area: number): string {
    const coarse = this.meta.areas;
    if (area >= coarse.first) return coarse.bundle[area - coarse.first] ?? "";
    const number = this.places?.bundle[area - this.finest.first];
    return number === undefined ? "" : (this.places?.bundles[number] ?? "");
  }

  /** The areas above, from the nearest to the highest. */
  above(area: number): number[] {
    const areas: number[] = [];
    for (let next = this.parent(area); next !== null && !areas.includes(next); next = this.parent(next)) areas.push(next);
    return areas;
  }

  /** The country that an area is compared with: that of the release, or the area at the top where the release has several countries. */
  country(area: number): Meta["country"] {
    if (this.meta.country.area !== null) return this.meta.country;
    const top = this.above(area).at(-1) ?? area;
    return { area: top, code: this.code(top), name: this.name(top) };
  }

  /** All areas directly below an area as far as they are loaded. */
  below(area: number): number[] {
    const areas: number[] = [];
    this.places?.parent.forEach((parent, position) => parent === area && areas.push(this.finest.first + position));
    this.meta.areas.parent.forEach((parent, position) => parent === area && areas.push(this.meta.areas.first + position));
    return areas;
  }

  isFormer(area: number): boolean {
    return this.places?.former.includes(area) ?? false;
  }

  /** The number of the area with a code, or null. */
  find(code: string): number | null {
    if (!this.byCode) {
      this.byCode = new Map();
      this.places?.code.forEach((areaCode, position) => this.byCode!.set(areaCode, this.finest.first + position));
      this.meta.areas.code.forEach((areaCode, position) => this.byCode!.set(areaCode, this.meta.areas.first + position));
    }
    return this.byCode.get(code) ?? null;
  }

  private at<T>(area: number, column: (columns: Places | Meta["areas"]) => T[]): T | undefined {
    const coarse = this.meta.areas;
    if (area >= coarse.first) return (column(coarse) as T[])[area - coarse.first];
    return this.places ? (column(this.places) as T[])[area - this.finest.first] : undefined;
  }
}

/** The areas of one bundle of the finest level, for pages that need not know the others. */
export function placesOf({ bundle, areas, codes, names, parent }: Bundle, finest: Level): Places {
  const places: Places = { code: [], name: [], parent: [], population: [], bundle: [], bundles: [bundle], former: [] };
  areas.forEach((area, at) => {
    const position = area - finest.first;
    [places.code[position], places.name[position], places.parent[position], places.bundle[position]] = [codes[at]!, names[at]!, parent, 0];
  });
  return places;
}

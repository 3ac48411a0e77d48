// How the files of a release are loaded. Their types are in release.ts.
import { newestFile, placesFile } from "./find";
import { awaited } from "./loading";
import type { Bundle, IndicatorFile, IndicatorPage, Meta, Newest, Peers, Places, Value, Within, WithinMore } from "./release";

export type * from "./release";

/** Whether a value is there. */
export const isNumber = (value: Value | undefined): value is number => value !== null && value !== undefined;

declare global {
  /** What early.ts asked for, by path. */
  var asked: Map<string, Promise<Response>> | undefined;
}

/** Signs that turn the direction of the text after them, which a name in the data must not do. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
const cache = new Map<string, Promise<unknown>>();

/** Load a JSON file below the folder of the release, once per page. Rejects if the file is missing or the network fails. */
export function load<T>(path: string): Promise<T> {
  let loading = cache.get(path);
  if (!loading) {
    loading = awaited(
      (globalThis.asked?.get(path) ?? fetch(`../../${path}`)).then((response) => {
        if (!response.ok) throw new Error(`${path}: ${response.status}`);
        return response.text().then((text) => JSON.parse(text.replace(TURNING, "")));
      }),
    );
    globalThis.asked?.delete(path);
    loading.catch(() => cache.delete(path));
    cache.set(path, loading);
  }
  return loading as Promise<T>;
}

const part = encodeURIComponent;
export const loadMeta = (language: string) => load<Meta>(`site/data/meta.${part(language)}.json`);
export const loadPlaces = () => load<Places>("site/data/places.json");
/** site/data/find/<number>.json: number, bundle and whether it has a file of similar areas, by code of the finest level. */
type PlaceLocations = Record<string, [number, string, boolean]>;
const PLACES_PER_FILE = 100;

/** Where the values of an area of the finest level are, without the list of all; null if there is none with this code. */
export async function findPlace(meta: Meta, code: string): Promise<{ area: number; bundle: string; hasPeers: boolean } | null> {
  const places = await load<PlaceLocations>(placesFile(code, Math.ceil(meta.levels[0]!.count / PLACES_PER_FILE)));
  if (!Object.hasOwn(places, code)) return null;
  const [area, bundle, hasPeers] = places[code]!;
  return { area, bundle, hasPeers };
}
export const loadWithin = (code: string) => load<Within>(`site/data/within/${part(code)}.json`);
export const loadWithinMore = (code: string) => load<WithinMore>(`site/data/within_more/${part(code)}.json`);
export const loadPeers = (bundle: string) => load<Peers>(`site/data/peers/${part(bundle)}.json`);
export const loadNewest = (bundle: string, area: number) => load<Newest>(newestFile(bundle, area));
export const loadIndicatorPage = (id: string) => load<IndicatorPage>(`site/data/indicators/${part(id)}.json`);
export const loadIndicator = (id: string) => load<IndicatorFile>(`api/v1/indicators/${part(id)}.json`);
export const loadBundle = (bundle: string) => load<Bundle>(`api/v1/areas/${part(bundle)}.json`);

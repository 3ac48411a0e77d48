// Runs before the script of the page and asks for the data of its address, so that they come while that script is still on its way.
import { newestFile, placesFile } from "./core/find";

const { kind, finds, ids, usual, level, map } = (document.currentScript as HTMLScriptElement).dataset;
const query = Object.fromEntries(new URLSearchParams(location.search));
const asked = (globalThis.asked = new Map<string, Promise<Response>>());

/** Number, bundle and whether it has a file of similar areas, by code. */
type Places = Record<string, [number, string, boolean]>;

/** Ask for a file. Who takes the answer gets it after `follow`, so that nothing that this asks for is asked for twice. */
function ask(path: string, follow?: (answer: Response) => Promise<void> | void): void {
  if (asked.has(path)) return;
  const answer = fetch(`../../${path}`).then(async (response) => {
    if (follow && response.ok) await follow(response.clone());
    return response;
  });
  answer.catch(() => asked.delete(path));
  asked.set(path, answer);
}

/** Read an answer. What is wrong with it is said by the page. */
const read = <T>(answer: Response): Promise<T | null> => answer.json().catch(() => null);

const askForMap = () => {
  if (map) ask(map);
};

function askForPlace(code: string): void {
  ask(placesFile(code, Number(finds)), async (answer) => {
    const place = placeIn(await read<Places>(answer), code);
    if (!place) return;
    const [, bundle, hasPeers] = place;
    ask(`api/v1/areas/${encodeURIComponent(bundle)}.json`);
    ask(`site/data/within/${encodeURIComponent(bundle.replace(/-\d+$/, ""))}.json`);
    if (hasPeers) ask(`site/data/peers/${encodeURIComponent(bundle)}.json`);
    askForMap();
  });
}

const placeIn = (places: Places | null, code: string) => (places && Object.hasOwn(places, code) ? places[code] : undefined);

/** Ask for the newest values of places that are compared, if all are of the finest level. */
async function askForCompared(codes: string[]): Promise<void> {
  const answers = new Map<string, Promise<Places | null>>();
  for (const code of codes) {
    const path = placesFile(code, Number(finds));
    if (!answers.has(path)) answers.set(path, fetch(`../../${path}`).then((answer) => (answer.ok ? read<Places>(answer) : null)));
  }
  const places = await Promise.all(codes.map(async (code) => placeIn(await answers.get(placesFile(code, Number(finds)))!, code)));
  if (places.every((place) => place !== undefined)) for (const [area, bundle] of places) ask(newestFile(bundle, area));
}

function askForIndicator(id: string): void {
  ask(`site/data/indicators/${encodeURIComponent(id)}.json`, async (answer) => {
    const levels = (await read<{ levels?: { level: string }[] }>(answer))?.levels;
    if ((isWhole || query["part"] === "map") && (query["level"] ?? level) === level && Array.isArray(levels) && levels.some((entry) => entry?.level === level)) askForMap();
  });
}

/** More places are a long address, and asking for each of them would be slower. */
const FEW = 6;
const known = (id: string | undefined): id is string => Boolean(id && ids?.split(" ").includes(id));
const isWhole = !query["part"];

if (kind === "place") {
  if (query["area"]) askForPlace(query["area"]);
  else ask("site/data/places.json");
} else if (kind === "compare") {
  const codes = [...new Set([query["areas"], query["group"] === "none" ? "" : query["group"]].flatMap((text) => (text ?? "").split(",")))].filter(Boolean);
  ask("site/data/places.json", codes.length > 0 && codes.length <= FEW ? () => askForCompared(codes).catch(() => undefined) : undefined);
} else {
  const id = query["indicator"] || usual;
  if (known(id)) {
    if (kind === "indicator") askForIndicator(id);
    else {
      ask(`site/data/cohesion/${encodeURIComponent(id)}.json`);
      if (isWhole && (query["level"] ?? level) === level) askForMap();
    }
    if (isWhole) ask("site/data/files.json");
  }
}

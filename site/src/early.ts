// Runs before the script of the page and asks for the data of its address, so that they come while that script is still on its way.
import { placesFile } from "./core/find";

const { finds, ids } = (document.currentScript as HTMLScriptElement).dataset;
const query = new URLSearchParams(location.search);
const asked = (globalThis.asked = new Map<string, Promise<Response>>());

function ask(path: string): Promise<Response> {
  const response = fetch(`../../${path}`);
  response.catch(() => asked.delete(path));
  asked.set(path, response);
  return response;
}

async function askForPlace(code: string, files: number): Promise<void> {
  const response = await ask(placesFile(code, files));
  const places: Record<string, [number, string, boolean]> = response.ok ? await response.clone().json() : {};
  if (!Object.hasOwn(places, code)) return;
  const [, bundle, hasPeers] = places[code]!;
  ask(`api/v1/areas/${encodeURIComponent(bundle)}.json`);
  ask(`site/data/within/${encodeURIComponent(bundle.replace(/-\d+$/, ""))}.json`);
  if (hasPeers) ask(`site/data/peers/${encodeURIComponent(bundle)}.json`);
}

const indicator = query.get("indicator");
const area = query.get("area");
if (ids !== undefined) {
  if (indicator && ids.split(" ").includes(indicator)) ask(`site/data/indicators/${encodeURIComponent(indicator)}.json`);
} else if (area) askForPlace(area, Number(finds)).catch(() => undefined);
else ask("site/data/places.json");

// Runs before the script of the page and asks for the data of its address, so that they come while that script is still on its way.
import { placesFile } from "./core/find";

const { finds, ids } = (document.currentScript as HTMLScriptElement).dataset;
const query = new URLSearchParams(location.search);
const asked = (globalThis.asked = new Map<string, Promise<Response>>());

/** Ask for a file. Who takes the answer gets it after `follow`, so that nothing that this asks for is asked for twice. */
function ask(path: string, follow?: (answer: Response) => Promise<void>): void {
  const answer = fetch(`../../${path}`).then(async (response) => {
    if (follow && response.ok) await follow(response.clone()).catch(() => undefined);
    return response;
  });
  answer.catch(() => asked.delete(path));
  asked.set(path, answer);
}

function askForPlace(code: string, files: number): void {
  ask(placesFile(code, files), async (answer) => {
    const places: Record<string, [number, string, boolean]> = await answer.json();
    if (!Object.hasOwn(places, code)) return;
    const [, bundle, hasPeers] = places[code]!;
    ask(`api/v1/areas/${encodeURIComponent(bundle)}.json`);
    ask(`site/data/within/${encodeURIComponent(bundle.replace(/-\d+$/, ""))}.json`);
    if (hasPeers) ask(`site/data/peers/${encodeURIComponent(bundle)}.json`);
  });
}

const indicator = query.get("indicator");
const area = query.get("area");
if (ids !== undefined) {
  if (indicator && ids.split(" ").includes(indicator)) ask(`site/data/indicators/${encodeURIComponent(indicator)}.json`);
} else if (area) askForPlace(area, Number(finds));
else ask("site/data/places.json");

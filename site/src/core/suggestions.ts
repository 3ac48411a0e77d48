// What a search suggests for a text: areas of all levels and indicators.
import { type Areas, knownCode } from "./areas";
import type { Meta } from "./data";
import { allowedErrors, errorsToBeginning, fold } from "./folding";

export interface Suggestion {
  kind: "area" | "indicator";
  /** The code of the area or the name of the indicator in the files. */
  code: string;
  /** The number of the area; −1 for an indicator. */
  area: number;
  name: string;
}

interface Entry extends Suggestion {
  folded: string;
  words: string[];
  /** The words of the areas above, which tell namesakes apart. */
  context: string[];
  /** Areas of the finest level come first, then those of other levels, then indicators. */
  order: number;
  weight: number;
}

/** How well an entry fits: less is better. */
type Score = number;
const EQUAL = 0;
const BEGINS = 1;
const WORDS = 2;
const NAMESAKE = 3;
const CONTEXT = 4;
const ERRORS = 5;

/** How many entries with typing errors are shown beside those without. */
const BESIDE_EXACT = 3;

/** Entries of a kind that are shown at least, if they fit without typing errors. */
const PLACES_OF_KINDS = 2;

export class SuggestionIndex {
  private readonly entries: Entry[] = [];

  /** Indexes what is loaded: `areas` with or without the finest level. */
  constructor(meta: Meta, areas: Areas | null, withIndicators: boolean) {
    if (areas) this.addAreas(meta, areas);
    if (withIndicators) {
      for (const { indicator, title, newest } of meta.indicators) this.add({ kind: "indicator", code: indicator, area: -1, name: title }, [], 2, Object.keys(newest).length);
    }
  }

  /** The best entries for a text, at most `limit`; equal ones by the number of inhabitants. */
  find(text: string, limit: number, accepts: (suggestion: Suggestion) => boolean = () => true): Suggestion[] {
    const typed = fold(text);
    if (!typed) return [];
    const tokens = typed.split(" ");
    let scored = this.scored((entry) => exactScore(entry, typed, tokens), accepts);
    if (scored.length < limit) {
      const listed = new Set(scored.map(({ entry }) => entry));
      const near = this.scored((entry) => (listed.has(entry) ? null : errorScore(entry, tokens)), accepts).sort(byFit);
      scored = scored.concat(scored.length ? near.slice(0, BESIDE_EXACT) : near);
    }
    return mixed(scored.sort(byFit), limit).map(({ entry }) => entry);
  }

  private scored(score: (entry: Entry) => Score | null, accepts: (suggestion: Suggestion) => boolean): ScoredEntry[] {
    const scored: ScoredEntry[] = [];
    for (const entry of this.entries) {
      const fit = score(entry);
      if (fit !== null && accepts(entry)) scored.push({ entry, score: fit });
    }
    return scored;
  }

  private addAreas(meta: Meta, areas: Areas): void {
    const coarse = new Map<number | null, string[]>([[null, []]]);
    const context = (parent: number | null): string[] => {
      let words = coarse.get(parent);
      if (!words) coarse.set(parent, (words = [parent!, ...areas.above(parent!)].flatMap((area) => fold(areas.name(area)).split(" "))));
      return words;
    };
    const add = (area: number, order: number) =>
      this.add({ kind: "area", code: areas.code(area), area, name: areas.name(area) }, context(areas.parent(area)), order, areas.population(area) ?? -1);
    areas.places?.code.forEach((_, position) => add(areas.finest.first + position, 0));
    meta.areas.code.forEach((_, position) => add(meta.areas.first + position, 1));
  }

  private add(suggestion: Suggestion, context: string[], order: number, weight: number): void {
    const folded = fold(suggestion.name);
    this.entries.push({ ...suggestion, folded, words: folded.split(" "), context, order, weight });
  }
}

interface ScoredEntry {
  entry: Entry;
  score: Score;
}

const byFit = (a: ScoredEntry, b: ScoredEntry): number =>
  a.score - b.score || a.entry.order - b.entry.order || b.entry.weight - a.entry.weight || (a.entry.folded < b.entry.folded ? -1 : 1);

function exactScore(entry: Entry, typed: string, tokens: string[]): Score | null {
  if (entry.folded === typed || isCode(entry, typed)) return EQUAL;
  if (entry.folded.startsWith(typed)) return BEGINS;
  const matching = tokens.filter((token) => entry.words.some((word) => word.startsWith(token)));
  if (matching.length === 0) return null;
  if (matching.length === tokens.length) return WORDS;
  const rest = tokens.filter((token) => !matching.includes(token));
  if (!rest.every((token) => entry.context.some((word) => word.startsWith(token)))) return null;
  return matching.join(" ") === entry.folded ? NAMESAKE : CONTEXT;
}

/** Whether a text is the code of an area, whole or as people know it. */
const isCode = ({ kind, code }: Entry, typed: string): boolean => kind === "area" && /\d/.test(typed) && (fold(knownCode(code)) === typed || fold(code) === typed);

function errorScore(entry: Entry, tokens: string[]): Score | null {
  let errors = 0;
  for (const token of tokens) {
    const most = allowedErrors(token);
    let least = most + 1;
    for (const word of entry.words) {
      if (least > 0) least = Math.min(least, errorsToBeginning(token, word, most));
    }
    if (least > most) return null;
    errors += least;
  }
  return ERRORS + errors;
}

/** The first entries, with room for those of other levels and for indicators. */
function mixed(scored: ScoredEntry[], limit: number): ScoredEntry[] {
  const selected = scored.slice(0, limit);
  for (const order of [1, 2]) {
    const good = scored.filter(({ entry, score }) => entry.order === order && score < ERRORS).slice(0, PLACES_OF_KINDS);
    for (const candidate of good) {
      if (selected.includes(candidate)) continue;
      const counts = [0, 1, 2].map((kind) => selected.filter(({ entry }) => entry.order === kind).length);
      const last = selected.map(({ entry }) => entry.order < order && counts[entry.order]! > PLACES_OF_KINDS).lastIndexOf(true);
      if (selected.length >= limit && last < 0) break;
      if (selected.length >= limit) selected.splice(last, 1);
      selected.push(candidate);
    }
  }
  return selected;
}

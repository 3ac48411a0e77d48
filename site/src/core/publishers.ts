import type { Localized } from "./data";
import { localized } from "./localized";

/** Sources by the name of their publisher, who is named once: the one with the most first. */
export function byPublisher<S extends { publisher: Localized | string }>(sources: S[]): [string, S[]][] {
  const found = new Map<string, S[]>();
  for (const source of sources) {
    const name = typeof source.publisher === "string" ? source.publisher : localized(source.publisher);
    found.set(name, [...(found.get(name) ?? []), source]);
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}

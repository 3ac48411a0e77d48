// What the address says: the places, the group and its name, the topic.
import { Areas } from "../../core/areas";
import { type Chosen, type Values, allValues, newestValues } from "../../core/comparison";
import { type Bundle, type Newest, loadBundle, loadNewest } from "../../core/data";
import type { Query } from "../../core/state";

export const MOST_PLACES = 6;
/** The most members of a group: with them the address stays below what servers take. */
export const MOST_MEMBERS = 300;
const LONGEST_NAME = 60;

export type GroupKind = "chosen" | "own" | "none";

export interface Selection {
  places: string[];
  kind: GroupKind;
  /** The codes of the members of an own group. */
  members: string[];
  name: string;
}

const codes = (text: string | undefined, most: number): string[] => [...new Set((text ?? "").split(",").map((code) => code.trim()))].filter(Boolean).slice(0, most);

export function selectionOf(query: Query): Selection {
  const group = query["group"];
  return {
    places: codes(query["areas"], MOST_PLACES),
    kind: group === undefined ? "chosen" : group === "none" ? "none" : "own",
    members: group === undefined || group === "none" ? [] : codes(group, MOST_MEMBERS),
    name: (query["name"] ?? "").slice(0, LONGEST_NAME),
  };
}

/**
 * The chosen areas with their values; codes that the release does not have are told apart. Areas of one level have the same newest period, so their
 * newest values are enough. Those of several levels are compared in the newest period that all have, and need earlier ones, too.
 */
export async function loadChosen(codes: string[], areas: Areas): Promise<{ chosen: Map<string, Chosen>; unknown: string[] }> {
  const numbers = new Map(codes.map((code) => [code, areas.find(code)]));
  const existing = [...numbers].filter((entry): entry is [string, number] => entry[1] !== null);
  const isOneLevel = new Set(existing.map(([, area]) => areas.level(area).level)).size === 1;
  const files = new Map<Newest | Bundle, Values>();
  const values = new Map<number, Values>();
  await Promise.all(
    existing.map(async ([, area]) => {
      const file = await (isOneLevel ? loadNewest(areas.bundle(area), area) : loadBundle(areas.bundle(area)));
      if (!files.has(file)) files.set(file, "codes" in file ? allValues(file) : newestValues(file));
      values.set(area, files.get(file)!);
    }),
  );
  const named = existing.map(([, area]) => areas.name(area));
  const chosen = new Map<string, Chosen>();
  for (const [code, area] of existing) {
    const name = areas.name(area);
    const unique = named.filter((other) => other === name).length === 1;
    chosen.set(code, { area, code, name: unique ? name : `${name} (${whereabouts(area, areas)})`, level: areas.level(area).level, values: values.get(area)! });
  }
  return { chosen, unknown: codes.filter((code) => !chosen.has(code)) };
}

/** The level and the name of the area above an area of the finest level; the level of others: "okres Svitavy", "kraj". */
export function whereabouts(area: number, areas: Areas): string {
  const level = areas.level(area);
  const parent = areas.parent(area);
  return level === areas.finest && parent !== null ? `${areas.level(parent).title} ${areas.name(parent)}` : level.title;
}

/** All areas of the finest level in an area, without those that no longer exist; the area itself if it is of that level. */
export function finestWithin(area: number, areas: Areas): number[] {
  if (areas.level(area) === areas.finest) return [area];
  return areas.below(area).flatMap((below) => finestWithin(below, areas)).filter((member) => !areas.isFormer(member));
}

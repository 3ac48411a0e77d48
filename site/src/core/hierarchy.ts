// Which areas lie below which, for lists of all places.
import type { Areas } from "./areas";
import type { Level, Meta } from "./data";
import { byName } from "./format";

export class Hierarchy {
  private readonly children = new Map<number | null, number[]>();

  /** `areas` knows all levels, the finest one included. */
  constructor(
    private readonly meta: Meta,
    private readonly areas: Areas,
  ) {
    for (const { first, count } of meta.levels) {
      for (let area = first; area < first + count; area++) {
        const parent = areas.parent(area);
        const siblings = this.children.get(parent);
        if (siblings) siblings.push(area);
        else this.children.set(parent, [area]);
      }
    }
  }

  /** The area that a list starts with: the only one without an area above; null if there are several. */
  get top(): number | null {
    const roots = this.children.get(null) ?? [];
    return roots.length === 1 ? roots[0]! : null;
  }

  below(area: number | null): number[] {
    return this.children.get(area) ?? [];
  }

  /** Areas directly below an area by level, the coarsest level first, in the order of the language. */
  byLevel(area: number | null): { level: Level; areas: number[] }[] {
    const compare = byName();
    const children = this.below(area);
    return [...this.meta.levels]
      .reverse()
      .map((level) => ({
        level,
        areas: children.filter((child) => this.areas.level(child) === level).sort((a, b) => compare(this.areas.name(a), this.areas.name(b))),
      }))
      .filter(({ areas }) => areas.length > 0);
  }
}

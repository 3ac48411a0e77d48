// What a release does not know about a place, and whose it would be to supply it.
import type { IndicatorMeta, Meta } from "../core/data";
import { type Place, type Row, isEmpty } from "./model";

export interface MissingParts {
  /** Indicators without any value in the release, by supplier, the one with the most first; an empty name stands for all suppliers of a few. */
  suppliers: { supplier: string; indicators: IndicatorMeta[] }[];
  /** Indicators with values at other levels only. */
  elsewhere: IndicatorMeta[];
  /** Indicators that other areas of the level have in the same period. */
  here: { row: Row; status: string }[];
}

/** A supplier is named if it could supply this many. */
const NAMED_FROM = 3;

export function missingOf(place: Place, meta: Meta): MissingParts {
  const rows = isEmpty(place) ? [] : place.rows;
  const open = meta.indicators.filter((about) => Object.keys(about.newest).length === 0);
  const bySupplier = new Map<string, IndicatorMeta[]>();
  for (const about of open) bySupplier.set(about.supplier, [...(bySupplier.get(about.supplier) ?? []), about]);
  const named = [...bySupplier].filter(([supplier, indicators]) => supplier && indicators.length >= NAMED_FROM).sort(([, a], [, b]) => b.length - a.length);
  const rest = open.filter((about) => !named.some(([supplier]) => supplier === about.supplier));
  const shown = new Set(place.rows.map((row) => row.about.indicator));
  return {
    suppliers: [...named.map(([supplier, indicators]) => ({ supplier, indicators })), ...(rest.length ? [{ supplier: "", indicators: rest }] : [])],
    elsewhere: meta.indicators.filter((about) => Object.keys(about.newest).length > 0 && !shown.has(about.indicator)),
    here: rows.filter((row) => row.value === null).map((row) => ({ row, status: row.status })),
  };
}

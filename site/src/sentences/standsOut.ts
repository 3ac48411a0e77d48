// Which facts about a place stand out, and what may be said of them. Nothing here makes words.
import { isOlder } from "../core/format";
import { type Reference, type Row, isCount } from "../place/model";

/** A reference that may be named, and on which side of it the value lies. */
export interface ReferenceComparison {
  against: "peers" | "country";
  side: "higher" | "lower" | "similar";
  value: number;
  /** 99.8 or 95; null where the two do not differ measurably. */
  significance: number | null;
}

export type Sentence =
  /** The value differs from the references in `comparisons`, at least from one of them significantly. */
  | { kind: "differs"; row: Row; comparisons: ReferenceComparison[] }
  /** The value is above (or below) `k` of the `n` similar places that have one. There is no interval. */
  | { kind: "position"; row: Row; side: "higher" | "lower"; k: number; n: number }
  /** The value is not measurably different from the references in `comparisons`. */
  | { kind: "similar"; row: Row; comparisons: ReferenceComparison[] };

const MOST = 6;
const MOST_OF_A_TOPIC = 2;
/** Indicators that are not headlines are often variants of each other. */
const MOST_OTHERS_OF_A_TOPIC = 1;
export const SIGNIFICANT = 99.8;
/** Fewer similar places with a value give no position worth a sentence. */
const LEAST_PEERS = 8;

/** At most six facts: significant against both references, then against one, then at the end of all similar places, then one that does not differ. */
export function standsOut(rows: Row[], released: string): Sentence[] {
  const candidates = rows.filter((row) => row.value !== null && !isCount(row.about) && !isChangeAcrossBreak(row)).map((row) => ({ row, comparisons: comparisonsOf(row) }));
  const ranked = candidates
    .map(({ row, comparisons }) => ({ row, comparisons, rank: rankOf(row, comparisons) }))
    .filter(({ rank }) => rank < Infinity)
    .sort((a, b) => a.rank - b.rank || order(a.row, b.row, released) || strength(b.row, b.comparisons) - strength(a.row, a.comparisons));
  const similar = candidates
    .filter(({ row, comparisons }) => row.about.display === "headline" && comparisons.length > 0 && comparisons.every(({ side }) => side === "similar"))
    .sort((a, b) => Number(b.row.about.direction === "target") - Number(a.row.about.direction === "target") || order(a.row, b.row, released))[0];
  const chosen: Sentence[] = [];
  const ofTopic = new Map<string | null, Row[]>();
  const hasRoom = ({ about }: Row): boolean => {
    const used = ofTopic.get(about.topic) ?? [];
    const others = used.filter((row) => row.about.display !== "headline").length;
    return used.length < MOST_OF_A_TOPIC && (about.display === "headline" || others < MOST_OTHERS_OF_A_TOPIC);
  };
  for (const { row, comparisons, rank } of ranked) {
    if (chosen.length === MOST - (similar ? 1 : 0)) break;
    if (!hasRoom(row)) continue;
    ofTopic.set(row.about.topic, [...(ofTopic.get(row.about.topic) ?? []), row]);
    chosen.push(rank < 2 ? { kind: "differs", row, comparisons } : positionOf(row)!);
  }
  if (similar && hasRoom(similar.row)) chosen.push({ kind: "similar", ...similar });
  return chosen;
}

/** A change across a break of the series is no change that may be quoted. */
const isChangeAcrossBreak = (row: Row): boolean => Boolean(row.about.change_years) && row.status === "B";

/** 0: significant against both references; 1: against one; 2: at the end of all similar places; 3: beyond nine tenths of them. */
function rankOf(row: Row, comparisons: ReferenceComparison[]): number {
  const significant = comparisons.filter((comparison) => comparison.significance === SIGNIFICANT).length;
  if (significant > 0) return significant === 2 ? 0 : 1;
  const position = positionOf(row);
  return position === null ? Infinity : position.k === position.n ? 2 : 3;
}

/** Newer before older data, headlines before others. */
const order = (a: Row, b: Row, released: string): number =>
  Number(isOlder(a.period, released)) - Number(isOlder(b.period, released)) || Number(a.about.display !== "headline") - Number(b.about.display !== "headline");

/** How far the nearest reference lies from the value, in halves of the width of the interval. */
function strength(row: Row, comparisons: ReferenceComparison[]): number {
  const half = row.upper !== null && row.lower !== null ? (row.upper - row.lower) / 2 : 0;
  const distances = comparisons.filter(({ side }) => side !== "similar").map(({ value }) => Math.abs(row.value! - value));
  return half > 0 && distances.length ? Math.min(...distances) / half : 0;
}

/** The comparisons that may be said of a row, similar places first. An indicator tied to size by law is never held against the country. */
export function comparisonsOf(row: Row): ReferenceComparison[] {
  const comparisons: ReferenceComparison[] = [];
  for (const [against, reference] of [["peers", row.peers], ["country", row.about.depends_on_size ? null : row.country]] as const) {
    const comparison = reference && comparisonWith(row, against, reference);
    if (comparison) comparisons.push(comparison);
  }
  return comparisons;
}

function comparisonWith(row: Row, against: ReferenceComparison["against"], { value, outcome, significance }: Reference): ReferenceComparison | null {
  if (row.value === null || row.lower === null || row.upper === null || value === null || outcome === null) return null;
  const inside = row.lower <= value && value <= row.upper;
  if (outcome === "similar") return inside ? { against, side: "similar", value, significance: null } : null;
  if (!["better", "worse", "higher", "lower"].includes(outcome) || significance === null || row.value === value) return null;
  return { against, side: row.value > value ? "higher" : "lower", value, significance };
}

function positionOf(row: Row): Extract<Sentence, { kind: "position" }> | null {
  const among = row.amongPeers;
  if (row.lower !== null || row.upper !== null || row.peers !== null || !among || among.others < LEAST_PEERS) return null;
  if (row.about.display !== "headline" || row.about.depends_on_size || row.denominator === 1) return null;
  const above = among.others - among.below - among.equal;
  const [side, k] = among.below >= above ? (["higher", among.below] as const) : (["lower", above] as const);
  return k * 10 >= among.others * 9 ? { kind: "position", row, side, k, n: among.others } : null;
}

// The files of a release that the site reads. Numbers of areas are those of api/v1/areas.json.

export type Localized = Record<string, string>;
export type Value = number | null;

export interface Level {
  level: string;
  title: string;
  first: number;
  count: number;
  /** The boundaries of all areas of the level, relative to the folder of the release. */
  map: string | null;
  /** The boundaries by area of a level above, where the level has many areas. */
  map_parts: { level: string; files: Record<string, string> } | null;
  /** The level that areas are compared within; null at the top. */
  above: string | null;
}

export interface Group {
  kind: "ratio" | "sum";
  multiplier: number;
}

/** What every page says of an indicator. Texts are in one language (`string`) or in all of them (`Localized`). */
interface Indicator<Text> {
  indicator: string;
  title: Text;
  unit: Text;
  objective: string;
  measure: string | null;
  field: string;
  decimals: number | null;
  display: "headline" | "more";
  direction: "higher_better" | "lower_better" | "target" | "none";
  target_value: number | null;
  /** Years between the two values of an indicator of change; null for others. */
  change_years?: number | null;
  depends_on_size: boolean;
  group: Group | null;
  has_interval: boolean;
  /** What data would be needed, where there are none, and who has them. */
  needed: Text;
  supplier: Text;
  /** The sources that it is made from. */
  sources: string[];
}

/** An indicator in a list, as in site/data/meta.<language>.json. */
export interface IndicatorMeta extends Indicator<string> {
  topic: string | null;
  /** The newest period by level; empty where the release has no value. */
  newest: Record<string, string>;
  first: Record<string, string>;
  /** Whether its values are logarithms of a value over that of `change_years` before. */
  is_log_ratio?: boolean;
  /** The indicator that it is the change of, if the release has that one. */
  change_of?: string | null;
}

export interface Measure {
  objective: string;
  measure: string;
  title: string;
  indicators: number;
  indicators_with_data: number;
  areas: number;
  newest_period: string | null;
  needed: string;
  indicator_ids: string[];
}

export interface IndexMeta {
  index: string;
  title: string;
  note: string;
  objective: string;
  level: string;
  rankable: boolean;
  periods: string[];
  components: { component: string; title: string }[];
}

/** site/data/meta.<language>.json: what every page needs, in one language. */
export interface Meta {
  version: string;
  released: string;
  pack: string;
  title: string;
  publisher: string;
  licence: string;
  language: string;
  languages: string[];
  country: { area: number | null; code: string; name: string };
  statuses: Record<string, { name: string; explanation: string; has_value: boolean }>;
  sexes: Record<string, string>;
  levels: Level[];
  areas: { first: number; code: string[]; name: string[]; parent: (number | null)[]; population: Value[]; bundle: string[] };
  objectives: { objective: string; title: string }[];
  measures: Measure[];
  topics: { topic: string; title: string; indicators: string[] }[];
  indicators: IndicatorMeta[];
  sources: { source: string; title: string; publisher: string; licence: string }[];
  indices: IndexMeta[];
  /** The names of the attributes by which similar areas are chosen. */
  peers_by?: string[];
  /** What the first page shows: the level of its map, if there is one with boundaries, and the indicators that it speaks of. */
  home: { level: string | null; indicators: string[] };
  /** The indicators of which the differences inside territories are known, and the one that is shown first. */
  cohesion: { usual: string | null; indicators: string[] };
  changes: { previous_version?: string | null } & Record<string, unknown>;
}

/** site/data/places.json: the areas of the finest level, in the order of their numbers. */
export interface Places {
  code: string[];
  name: string[];
  parent: (number | null)[];
  population: Value[];
  bundle: number[];
  bundles: string[];
  former: number[];
}

/** Values of one breakdown in several periods, with a letter per value in `status`. */
interface Series {
  sex: string;
  age: string;
  value: Value[][];
  status: string[];
  lower?: Value[][];
  upper?: Value[][];
}

/** The series of the areas of a bundle in one breakdown: by area, then by period. `status` has a letter per period; "." where there is no row. */
export interface PlaceBreakdown extends Series {
  notes?: { note: string; period: number; areas: number[] }[];
}

export interface Positions {
  below: Value[];
  equal: Value[];
  others: Value[] | number;
}

export interface Compared {
  reference: Value[];
  /** better, worse, higher, lower, similar, too_few, no_interval, ... as in the table comparisons. */
  outcome: (string | null)[];
  significance: Value[];
}

export interface Above {
  area: number;
  status: string;
  value: Value;
  lower?: Value;
  upper?: Value;
}

/** One indicator of api/v1/areas/<bundle>.json: an element per area of the bundle. */
export interface PlaceIndicator {
  indicator: string;
  newest: string | null;
  periods: string[];
  breakdowns: PlaceBreakdown[];
  numerator?: Value[];
  denominator?: Value[];
  positions?: { parent?: Positions; peers?: Positions; country?: Positions };
  quantiles?: number[];
  above?: { parent?: Above; country?: Above };
  comparisons?: { country?: Compared; peers?: Compared };
  /** As in the table trends, where it was assessed. */
  trends?: { first: (string | null)[]; last: (string | null)[]; trend: (string | null)[]; direction: (string | null)[] };
}

export interface PlaceIndexScore {
  component: string;
  score: Value[];
  fifth: Value[];
  /** The best and the worst fifth by other ways of computing the index. */
  fifth_low?: Value[];
  fifth_high?: Value[];
  n_available: Value[];
  n_expected: Value[];
  peer_percentile?: Value[];
  status: string;
}

/** api/v1/areas/<bundle>.json: at most 20 areas with the same area above. */
export interface Bundle {
  bundle: string;
  level: string;
  parent: number | null;
  areas: number[];
  codes: string[];
  names: string[];
  peers: number[][];
  indicators: PlaceIndicator[];
  indices: { index: string; period: string; scores: PlaceIndexScore[] }[];
}

/** site/data/within/<bundle without its number>.json: newest headline values of all areas with the same area above. */
export interface Within {
  parent: number | null;
  level: string;
  areas: number[];
  /** Longitude and latitude of a point in each area. */
  points: ([number, number] | null)[];
  area_km2: Value[];
  /** The day on which an area ended, by its number. */
  ended: Record<string, string>;
  indicators: Record<string, Value[]>;
}

/** site/data/within_more/<bundle without its number>.json: the same of the indicators that are no headlines. */
export type WithinMore = Pick<Within, "areas" | "indicators">;

/** site/data/peers/<bundle>.json: newest headline values of the peers of a bundle's areas. */
export interface Peers {
  areas: number[];
  names: string[];
  codes: string[];
  indicators: Record<string, Value[]>;
}

/** Values of one period: an element per area, and a letter per area in `status`. */
interface Column {
  value: Value[];
  status: string;
  lower?: Value[];
  upper?: Value[];
  numerator?: Value[];
  denominator?: Value[];
}

/** site/data/newest/<bundle>.<part>.json: the newest values of some areas of a bundle; lists have an element per area. */
export interface Newest {
  bundle: string;
  level: string;
  areas: number[];
  indicators: (Column & {
    indicator: string;
    newest: string;
    /** The last period with a value of the areas that have none now, by their position. */
    last?: Record<string, string>;
    notes?: { note: string; areas: number[] }[];
    country?: Omit<Above, "area">;
  })[];
}

/** Values of one period and breakdown, of the areas of a level. */
export interface Cells extends Column {
  sex: string;
  age: string;
}

/** By period, then by area. */
export type SeriesCells = Series;

export interface IndicatorLevel {
  level: string;
  first: number;
  count: number;
  period: string;
  breakdowns: Cells[];
  comparisons?: { country?: Compared; peers?: Compared };
  series?: { periods: string[]; breakdowns: SeriesCells[] };
}

export interface SizeClass {
  from: number;
  to: number | null;
  areas: number;
  missing: number;
  median: Value;
  p10: Value;
  p90: Value;
  counts: number[];
}

export interface Source {
  title: Localized;
  publisher: Localized;
  licence: string;
  licence_url?: string;
  homepage?: string;
  citation?: Localized;
  rights?: Localized;
  carrier?: string | null;
}

/** An indicator with all that its own page shows. */
export interface About extends Indicator<Localized> {
  description: Localized;
  formula: string;
  /** Names of the measures of the formula, by measure. */
  inputs?: Record<string, Localized>;
  sdg: string;
  breaks: { period: string; source: string; note: Localized }[];
  periods: string[];
  levels: { level: string; newest: string; periods: string[]; breakdowns: { sex: string; age: string }[] }[];
}

/** site/data/indicators/<id>.json: what an indicator's page shows before a municipal map is asked for. */
export interface IndicatorPage {
  about: About;
  sources: Record<string, Source>;
  notes: Record<string, Localized>;
  levels: IndicatorLevel[];
  distribution: { level: string; period: string; edges: number[]; country: Value; classes: SizeClass[] } | null;
  fine: { level: string; period: string; quantiles: number[]; areas: number; missing: Record<string, number>; compared: ComparedCounts | null } | null;
}

/** How many areas of a level differ measurably from the country, whose value is `reference` (null if there are several countries). */
export interface ComparedCounts {
  reference: Value;
  higher: number;
  lower: number;
  similar: number;
  too_few: number;
}

/** api/v1/indicators/<id>.json: the newest values of all levels. */
export interface IndicatorFile {
  about: About;
  levels: (IndicatorLevel & { spread: { country: string; areas: number; quantiles: number[] }[] })[];
}

// The two maps of a level: the values in classes, and where they lie against the country.
import type { LegendEntry } from "../../charts/Legend";
import type { MapLabel } from "../../charts/Map";
import type { MapView } from "../../charts/MapPair";
import { classNumber, classTexts, classesOf } from "../../core/classes";
import type { About, Meta } from "../../core/data";
import { list, number, valueText } from "../../core/format";
import { t } from "../../core/texts";
import { type Outcome, type Row, hasBands, sortedRows, steadyRows } from "./rows";
import { type Measured, reasonText, valueWithInterval } from "./words";

const OUTCOMES: [Outcome, string][] = [
  ["lower", "fill-lower"],
  ["similar", "fill-similar"],
  ["higher", "fill-higher"],
];

export const outcomeText = (outcome: Outcome | null, country: string): string =>
  outcome === "lower"
    ? t("indicator.lower_than", { country })
    : outcome === "higher"
      ? t("indicator.higher_than", { country })
      : outcome === "similar"
        ? t("indicator.not_different")
        : outcome === "too_few"
          ? t("indicator.too_few")
          : "";

/** The views of rows; the second one only where values are compared with the country. `counted` rows are those drawn. */
export function viewsOf(rows: Row[], { about, meta, measured, chosen, named }: { about: About; meta: Meta; measured: Measured; chosen: string | null; named: boolean }): MapView[] {
  const byCode = new Map(rows.map((row) => [row.code, row]));
  const sorted = sortedRows(rows);
  const middle = about.target_value ?? (sorted.length > 0 && sorted.at(-1)!.value < 0 && sorted[0]!.value > 0 ? 0 : null);
  const classes = classesOf(sorted.map(({ value }) => value), measured.decimals, middle);
  const counts = classes.swatches.map(() => 0);
  for (const { value } of sorted) counts[classNumber(value, classes)]! += 1;
  const missing = missingEntries(rows, meta);
  const gap = (code: string): string => (byCode.has(code) ? (missing.swatches[byCode.get(code)!.status] ?? "fill-missing") : "fill-missing");
  const describe = (code: string): string => {
    const row = byCode.get(code);
    if (!row) return "";
    if (row.value === null) return `${row.name}: ${reasonText(row.status, row.note, meta)}`;
    const words = outcomeText(row.outcome, meta.country.name);
    return `${row.name}: ${valueWithInterval(row.value, row.lower, row.upper, measured)}${words ? ` · ${words}` : ""}`;
  };
  const here = chosen ? byCode.get(chosen) : undefined;
  const texts = classTexts(classes, measured.unit);
  const labels = (values: boolean): MapLabel[] => {
    const placed: MapLabel[] = [];
    const steady = steadyRows(sorted);
    const ends = steady.length > 2 && named ? [steady[0]!, steady.at(-1)!].filter((end) => steady.filter(({ value }) => value === end.value).length === 1) : [];
    for (const { code, name, value } of ends) if (values && code !== chosen) placed.push({ code, text: `${name} ${number(value, measured.decimals)}` });
    if (here) placed.push({ code: here.code, text: values && here.value !== null ? `${here.name} ${number(here.value, measured.decimals)}` : here.name, here: true });
    return placed;
  };
  const views: MapView[] = [
    {
      title: t("indicator.map_value"),
      fill: (code) => {
        const value = byCode.get(code)?.value ?? null;
        return value === null ? gap(code) : classes.swatches[classNumber(value, classes)]!;
      },
      legend: [...texts.map((text, at) => ({ swatch: classes.swatches[at]!, text, count: counts[at]! })).filter(({ count }) => count > 0), ...missing.entries],
      summary: `${t("indicator.map_of", { n: rows.length })} ${extremesText(rows, measured)}`,
      labels: labels(true),
      describe,
    },
  ];
  if (!hasBands(rows)) return views;
  const count = (side: Outcome) => rows.filter(({ outcome }) => outcome === side).length;
  const few = count("too_few");
  const otherwise = rows.filter(({ value, outcome }) => value !== null && outcome === null).length;
  views.push({
    title: t("indicator.map_against", { country: meta.country.name }),
    fill: (code) => {
      const row = byCode.get(code);
      if (!row || row.value === null) return gap(code);
      return row.outcome === "too_few" ? "fill-missing-2" : (OUTCOMES.find(([outcome]) => outcome === row.outcome)?.[1] ?? "fill-missing");
    },
    legend: [
      ...OUTCOMES.map(([outcome, swatch]) => ({ swatch, text: outcomeText(outcome, meta.country.name), count: count(outcome) })).filter((entry) => entry.count > 0),
      ...(few > 0 ? [{ swatch: "fill-missing-2", text: t("indicator.too_few"), count: few }] : []),
      ...(otherwise > 0 ? [{ swatch: "fill-missing", text: t("indicator.not_compared"), count: otherwise }] : []),
      ...missing.entries,
    ],
    summary: t("indicator.map_against_summary", { n: rows.length, country: meta.country.name, lower: count("lower"), similar: count("similar"), higher: count("higher") }),
    labels: labels(false),
    describe,
  });
  return views;
}

/** Hatches of missing values by status, with their reasons. */
function missingEntries(rows: Row[], meta: Meta): { swatches: Record<string, string>; entries: LegendEntry[] } {
  const byStatus = new Map<string, Row[]>();
  for (const row of rows) if (row.value === null) byStatus.set(row.status, [...(byStatus.get(row.status) ?? []), row]);
  const swatches: Record<string, string> = {};
  const entries: LegendEntry[] = [];
  [...byStatus].sort(([, a], [, b]) => b.length - a.length).forEach(([status, withStatus], at) => {
    swatches[status] = at === 0 ? "fill-missing" : "fill-missing-2";
    const note = withStatus.length <= 2 ? withStatus.map(({ name }) => name).join(", ") : undefined;
    entries.push({ swatch: swatches[status]!, text: withStatus.every((row) => row.note && row.note === withStatus[0]!.note) ? withStatus[0]!.note : (meta.statuses[status]?.name ?? status), count: withStatus.length, note });
  });
  return { swatches, entries };
}

/** "Lowest: Pelhřimov (26.2 %). Highest: Česká Lípa (39.2 %)."; with a number where several share it. */
export function extremesText(rows: Row[], measured: Measured): string {
  const sorted = steadyRows(sortedRows(rows));
  if (sorted.length < 2) return "";
  const [most, least] = [sorted[0]!, sorted.at(-1)!];
  if (most.value === least.value) return t("indicator.all_equal", { value: valueText(most.value, measured) });
  const named = (end: number) => {
    const atEnd = sorted.filter(({ value }) => value === end);
    return atEnd.length <= 3 ? list(atEnd.map(({ name }) => name)) : t("indicator.n_areas", { n: atEnd.length });
  };
  return t("indicator.extremes", {
    least: named(least.value),
    least_value: valueText(least.value, measured),
    most: named(most.value),
    most_value: valueText(most.value, measured),
  });
}

import { useRef } from "preact/hooks";
import { type Line, Lines } from "../../charts/Lines";
import type { Areas } from "../../core/areas";
import { type CohesionFile, type Dispersion, type Pairing, dispersionIn, measured, statusOf } from "../../core/cohesion";
import { csv } from "../../core/csv";
import type { Value } from "../../core/data";
import { number, period as periodText, withUnit } from "../../core/format";
import { levelName } from "../../core/levels";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { DataTable } from "../../parts/DataTable";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import { sourceLine } from "../compare/export";
import type { DispersionProps } from "./props";

interface Props extends DispersionProps {
  chosen: string | null;
}

const KINDS = { sd: "country", sd_chance: "dashed", sd_left: "here" } as const;
type Part = keyof typeof KINDS;

/** What is observed, what chance alone makes and what is left, over time: in the whole country and in the chosen territory. */
export function OverTime({ meta, areas, file, indicator, pairing, dispersions, chosen }: Props) {
  const figure = useRef<HTMLDivElement>(null);
  const country = dispersionIn(file, meta.country.area, pairing.of.level);
  const number = chosen === null ? null : areas.find(chosen);
  const territory = dispersions.find(({ within }) => within === number);
  const shown = [country, territory].filter((dispersion) => dispersion !== undefined && points(file, dispersion) > 1) as Dispersion[];
  if (shown.length === 0) return null;
  const hasChance = shown.some(({ statistics }) => "sd_left" in statistics);
  const { unit } = measured("sd", indicator);
  return (
    <Section title={t("cohesion.over_time")} aside={t("cohesion.over_time_aside", { unit })}>
      <p class="small">{t(hasChance ? "cohesion.over_time_parts" : "cohesion.over_time_plain", { of: levelName(pairing.of) })}</p>
      <div ref={figure} class={shown.length > 1 ? "columns two" : "cohesion-single"}>
        {shown.map((dispersion) => (
          <Part key={dispersion.within} areas={areas} file={file} indicator={indicator} pairing={pairing} dispersion={dispersion} />
        ))}
      </div>
      <ChartActions
        figure={figure}
        title={`${indicator.title}: ${t("cohesion.over_time")}`}
        source={sourceLine([indicator], meta)}
        name={`${indicator.indicator}-over-time`}
        csv={() => seriesCsv(areas, file, pairing, shown)}
        part="time"
      />
      {country && !territory ? <p class="note">{t("cohesion.choose")}</p> : null}
    </Section>
  );
}

function seriesCsv(areas: Areas, file: CohesionFile, pairing: Pairing, shown: Dispersion[]): string {
  const names = Object.keys(KINDS) as Part[];
  const rows = shown.flatMap((dispersion) =>
    file.periods.map((period, at) => [file.indicator, areas.code(dispersion.within), areas.name(dispersion.within), pairing.of.level, period, ...names.map((name) => dispersion.statistics[name]?.[at] ?? null)]),
  );
  return csv(["indicator", "within", "name", "of_level", "time_period", ...names], rows);
}

const points = (file: CohesionFile, { statistics }: Dispersion): number => file.periods.filter((_, at) => (statistics["sd"]?.[at] ?? null) !== null).length;

function Part({ areas, file, indicator, pairing, dispersion }: Pick<Props, "areas" | "file" | "indicator" | "pairing"> & { dispersion: Dispersion }) {
  const parts = (Object.keys(KINDS) as Part[]).filter((name) => dispersion.statistics[name]?.some((value) => value !== null));
  const positions = file.periods.map((_, at) => at).filter((at) => parts.some((name) => (dispersion.statistics[name]?.[at] ?? null) !== null));
  const periods = positions.map((at) => file.periods[at]!);
  const values = (name: Part): Value[] => positions.map((at) => dispersion.statistics[name]?.[at] ?? null);
  const lines: Line[] = parts.map((name) => ({
    name: t(`cohesion.part_${name}`),
    kind: KINDS[name],
    points: values(name).map((value, at) => ({ value, status: statusOf(dispersion, name, positions[at]!) })),
  }));
  const breaks = positions.map((at, position) => (position > 0 && statusOf(dispersion, "sd", at) === "B" ? position : -1)).filter((at) => at > 0);
  const { decimals, unit } = measured("sd", indicator);
  const title = t("cohesion.part_title", { territory: areas.name(dispersion.within), of: levelName(pairing.of) });
  const text = (value: Value | undefined) => withUnit(number(value, decimals), unit.length <= 6 ? unit : "");
  const facts = parts.map((name) =>
    t("cohesion.part_summary", { name: t(`cohesion.part_${name}`), first: text(values(name)[0]), last: text(values(name).at(-1)), from: periodText(periods[0]!), to: periodText(periods.at(-1)!) }),
  );
  return (
    <figure>
      <h3>{title}</h3>
      <Lines periods={periods} lines={lines} breaks={breaks} decimals={decimals} zero summary={`${title}: ${facts.join("; ")}`} />
      <Disclosure summary={t("cohesion.part_table")}>
        {() => (
          <DataTable
            label={title}
            columns={[{ title: t("cohesion.period") }, ...parts.map((name) => ({ title: t(`cohesion.part_${name}`), numeric: true })), { title: t("cohesion.areas"), numeric: true }]}
            rows={positions.map((at, position) => [periodText(file.periods[at]!), ...parts.map((name) => number(values(name)[position], decimals)), number(dispersion.n[at])])}
          />
        )}
      </Disclosure>
    </figure>
  );
}

import { type Dispersion, changeOf, convergenceIn, measured, statusOf } from "../../core/cohesion";
import type { Meta } from "../../core/data";
import { byName, number, period as periodText } from "../../core/format";
import { levelCount, levelName } from "../../core/levels";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { DataTable } from "../../parts/DataTable";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import { changeText } from "./Closing";
import { newestPeriod } from "./Territories";
import type { DispersionProps } from "./props";

const COLUMNS = ["sd", "sd_chance", "sd_left", "iqr", "cv", "gini", "theil_t"];

/** All territories with all statistics, and why those without have none. */
export function TerritoryTable({ meta, areas, file, indicator, pairing, dispersions }: DispersionProps) {
  const shown = COLUMNS.filter((name) => dispersions.some(({ statistics }) => statistics[name]?.some((value) => value !== null)));
  const at = newestPeriod(file, dispersions, shown.includes("sd") ? "sd" : (shown[0] ?? "sd"));
  const collate = byName();
  const ordered = [...dispersions].sort((a, b) => collate(areas.name(a.within), areas.name(b.within)));
  const hasChange = file.convergence.some(({ of_level, sex }) => of_level === pairing.of.level && sex === "_T");
  const label = t("cohesion.table_label", { areas: levelCount(pairing.level, dispersions.length), period: periodText(file.periods[at] ?? "") });
  return (
    <Section title={t("cohesion.table")} aside={periodText(file.periods[at] ?? "")}>
      <Disclosure summary={label}>
        {() => (
          <DataTable
            label={label}
            columns={[
              { title: t("cohesion.territory") },
              { title: levelName(pairing.of), numeric: true },
              ...shown.map((name) => ({ title: t(`cohesion.name_${name}`), numeric: true })),
              ...(hasChange ? [{ title: t("cohesion.column_change"), numeric: true }, { title: t("cohesion.column_direction") }] : []),
            ]}
            rows={ordered.map((dispersion) => {
              const convergence = hasChange ? convergenceIn(file, dispersion.within, pairing.of.level) : undefined;
              const change = convergence && changeOf(convergence, indicator);
              const code = areas.code(dispersion.within);
              const reason = reasonOf(dispersion, at, meta);
              return [
                <>
                  <a href={address("place", { area: code })}>{areas.name(dispersion.within)}</a>
                  {reason ? <span class="under reason">{reason}</span> : null}
                </>,
                number(dispersion.n[at]),
                ...shown.map((name) => number(dispersion.statistics[name]?.[at], measured(name, indicator).decimals)),
                ...(hasChange ? [change && change.direction !== "unknown" ? changeText(change, indicator) : "–", change ? t(`cohesion.direction_${change.direction}`) : "–"] : []),
              ];
            })}
          />
        )}
      </Disclosure>
    </Section>
  );
}

/** Why a territory has no standard deviation, or what its status is. */
function reasonOf(dispersion: Dispersion, at: number, meta: Meta): string {
  const status = statusOf(dispersion, "sd", at);
  if (status === "A" || status === ".") return status === "." ? t("cohesion.undefined") : "";
  if (status === "L") return t((dispersion.n[at] ?? 0) <= 1 ? "cohesion.single" : "cohesion.few");
  return meta.statuses[status]?.name ?? status;
}

import { useRef } from "preact/hooks";
import { Distribution } from "../../charts/Distribution";
import { csv } from "../../core/csv";
import type { SizeClass } from "../../core/data";
import { interval, number, period as periodText, shortUnit, valueText, withUnit } from "../../core/format";
import { capital, levelCount, levelName } from "../../core/levels";
import { t } from "../../core/texts";
import { ChartActions } from "../../parts/ChartActions";
import { DataTable } from "../../parts/DataTable";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import type { Shared } from "./LevelSection";
import { sourceLine } from "./words";

/** How values are distributed among small and large areas; left out for sums, which grow with size. */
export function DistributionSection({ meta, page, measured, title }: Shared) {
  const figure = useRef<HTMLDivElement>(null);
  const distribution = page.distribution;
  const level = meta.levels.find((entry) => entry.level === distribution?.level);
  if (!distribution || !level || distribution.classes.length < 2 || distribution.edges.length < 2 || page.about.group?.kind === "sum") return null;
  const country = page.about.depends_on_size ? null : distribution.country;
  const sizeText = ({ from, to }: SizeClass) =>
    from === 0 ? t("indicator.size_under", { to: number(to) }) : to === null ? t("indicator.size_over", { from: number(from) }) : t("indicator.size_between", { from: number(from), to: number(to - 1) });
  const words = ({ areas, missing, median, p10, p90 }: SizeClass) =>
    t("indicator.size_words", { areas: levelCount(level, areas - missing), median: valueText(median, measured), range: interval(p10, p90, measured) });
  const total = distribution.classes.reduce((sum, { areas, missing }) => sum + areas - missing, 0);
  return (
    <Section id="distribution" title={t("indicator.distribution")} aside={`${periodText(distribution.period)} · ${levelCount(level, total)}`}>
      <div ref={figure}>
        <Distribution edges={distribution.edges} classes={distribution.classes} title={sizeText} words={words} country={country} unit={shortUnit(measured.unit) ? withUnit("", measured.unit) : ""} />
      </div>
      <p class="caption">
        {t("indicator.distribution_note", { level: levelName(level) })} {country === null ? "" : `${capital(t("indicator.vertical_line", { country: meta.country.name, value: valueText(country, measured) }))}.`}
      </p>
      <Disclosure summary={t("indicator.distribution_table")}>
        {() => (
          <DataTable
            label={t("indicator.distribution_table")}
            columns={[
              { title: t("indicator.size") },
              { title: levelName(level), numeric: true },
              { title: t("indicator.without_value"), numeric: true },
              { title: t("indicator.median"), numeric: true },
              { title: t("indicator.middle"), numeric: true },
            ]}
            rows={distribution.classes.map((size) => [sizeText(size), number(size.areas - size.missing), number(size.missing), valueText(size.median, measured), interval(size.p10, size.p90, measured)])}
          />
        )}
      </Disclosure>
      <ChartActions
        figure={figure}
        title={`${title}, ${t("indicator.distribution").toLowerCase()}`}
        source={sourceLine(Object.values(page.sources), meta)}
        name={`${page.about.indicator}-distribution`}
        csv={() =>
          csv(
            ["indicator", "time_period", "size_from", "size_to", "from", "to", "areas"],
            distribution.classes.flatMap(({ from, to, counts }) => counts.map((count, at) => [page.about.indicator, distribution.period, from, to, distribution.edges[at]!, distribution.edges[at + 1]!, count])),
          )
        }
        part="distribution"
      />
    </Section>
  );
}

import { type Change, type Direction, changeFormat, changeOf, convergenceIn } from "../../core/cohesion";
import type { IndicatorMeta } from "../../core/data";
import { number, period as periodText, sentence, withUnit } from "../../core/format";
import { capital, levelCount, levelName, levelNote } from "../../core/levels";
import { t } from "../../core/texts";
import { Section } from "../../parts/Section";
import type { PairingProps } from "./props";

/** A change in words and with its numbers: "2,9 až 2,4 p. b.". */
export function changeText({ first, last, kind }: Change, indicator: IndicatorMeta): string {
  const { decimals, unit } = changeFormat(kind, indicator);
  return t("cohesion.from_to", { first: number(first, decimals), last: withUnit(number(last, decimals), unit.length <= 6 ? unit : "") });
}

/** Whether areas draw together: those of each level in the whole country, and those inside the territories, counted. */
export function Closing({ meta, file, indicator, pairing }: PairingProps) {
  const inCountry = meta.levels
    .map((level) => ({ level, convergence: convergenceIn(file, meta.country.area, level.level) }))
    .filter((entry) => entry.convergence !== undefined);
  const inside = file.convergence.filter(
    ({ within, of_level, sex }) => sex === "_T" && of_level === pairing.of.level && within >= pairing.level.first && within < pairing.level.first + pairing.level.count,
  );
  if (inCountry.length === 0 && inside.length === 0) return null;
  const span = inCountry[0]?.convergence ?? inside[0]!;
  const periods = { first: periodText(span.first_period), last: periodText(span.last_period) };
  const counts = inside.reduce<Partial<Record<Direction, number>>>((sum, convergence) => {
    const { direction } = changeOf(convergence, indicator);
    return { ...sum, [direction]: (sum[direction] ?? 0) + 1 };
  }, {});
  const kind = changeOf(span, indicator).kind;
  const directions = (["closer", "apart", "same", "broken", "unknown"] as const).filter((direction) => counts[direction]);
  return (
    <Section title={t("cohesion.closing")} aside={t("cohesion.span", periods)}>
      <ul class="closing">
        {inCountry.map(({ level, convergence }) => {
          const change = changeOf(convergence!, indicator);
          const values = { areas: capital(levelName(level)), change: changeText(change, indicator), n: convergence!.n ?? 0 };
          return (
            <li key={level.level}>
              <b>{sentence(t(`cohesion.country_${change.direction}`, values))}</b>{" "}
              {change.direction === "unknown" ? "" : <span class="small">{t("cohesion.compared", { areas: levelCount(level, convergence!.n ?? 0) })}</span>}
            </li>
          );
        })}
        {inside.length > 0 ? (
          <li>
            <b>{t("cohesion.inside", { areas: levelCount(pairing.level, inside.length), of: levelName(pairing.of) })}</b>{" "}
            {directions.map((direction) => t(`cohesion.inside_${direction}`, { n: counts[direction]! })).join(", ")}.
          </li>
        ) : null}
      </ul>
      <p class="small">{[t(`cohesion.closing_${kind}`), ...inCountry.map(({ level }) => levelNote(level))].filter(Boolean).join(" ")}</p>
    </Section>
  );
}

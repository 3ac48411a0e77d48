import { capital } from "../../core/levels";
import { t } from "../../core/texts";
import { Section } from "../../parts/Section";

const ALWAYS = ["sd", "iqr", "cv", "gini", "p90_p10", "theil_t", "sigma"];
const CHANCE = ["sd", "sd_chance", "sd_left", "iqr", "cv", "gini", "p90_p10", "theil_t"];

/** Each statistic in plain words. */
export function Meanings({ hasChance }: { hasChance: boolean }) {
  return (
    <Section title={t("cohesion.meanings")}>
      <dl class="meanings">
        {(hasChance ? CHANCE : ALWAYS).map((name) => (
          <div key={name}>
            <dt>{capital(t(`cohesion.name_${name}`))}</dt>
            <dd>{t(`cohesion.meaning_${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

import { type About, type IndicatorMeta, type Meta, load } from "../../core/data";
import { localized } from "../../core/localized";
import { address, useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { Section } from "../../parts/Section";
import { directionText } from "./words";

/** An indicator that the release has no value of: what it would say, what is needed, and who could supply it. */
export function NoValues({ meta, indicator }: { meta: Meta; indicator: IndicatorMeta }) {
  const { value } = useLoaded(indicator.indicator, () => load<{ indicators: About[] }>("api/v1/indicators.json"));
  const about = value?.indicators.find((entry) => entry.indicator === indicator.indicator);
  const neighbours = meta.indicators.filter(({ indicator: id, objective, measure, newest }) => id !== indicator.indicator && objective === indicator.objective && measure === indicator.measure && Object.keys(newest).length > 0);
  return (
    <>
      {about ? <p class="lead">{localized(about.description)}</p> : null}
      <dl class="facts">
        <div>
          <dt>{t("indicator.values")}</dt>
          <dd>{t("indicator.none_yet")}</dd>
        </div>
        <div>
          <dt>{t("indicator.unit")}</dt>
          <dd>{indicator.unit}</dd>
        </div>
        <div>
          <dt>{t("indicator.direction")}</dt>
          <dd>{directionText({ direction: indicator.direction, target_value: indicator.target_value }, indicator)}</dd>
        </div>
        {about?.sdg ? (
          <div>
            <dt>{t("indicator.sdg_head")}</dt>
            <dd>{about.sdg}</dd>
          </div>
        ) : null}
      </dl>
      <Section title={t("indicator.none_title")}>
        <p>{t("indicator.none_text")}</p>
        {indicator.needed ? (
          <p class="aside-note">
            <b>{t("indicator.needed")}</b> {indicator.needed}
          </p>
        ) : null}
        {indicator.supplier ? (
          <p class="aside-note">
            <b>{t("indicator.supplier")}</b> {indicator.supplier}
          </p>
        ) : null}
        <p>
          <a href={`${address("measures")}#${indicator.objective}${indicator.measure ? `.${indicator.measure}` : ""}`}>{t("indicator.see_measure")}</a>
        </p>
      </Section>
      {neighbours.length > 0 ? (
        <Section title={t("indicator.neighbours")}>
          <ul>
            {neighbours.map(({ indicator: id, title }) => (
              <li key={id}>
                <a href={address("indicator", { indicator: id })}>{title}</a>
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
    </>
  );
}

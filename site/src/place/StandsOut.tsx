import { type Areas } from "../core/areas";
import type { Meta } from "../core/data";
import { t } from "../core/texts";
import { Section } from "../parts/Section";
import { type Sentence } from "../sentences/standsOut";
import { wordsOf } from "../sentences/words";
import type { Place } from "./model";

interface Props {
  sentences: Sentence[];
  place: Place;
  areas: Areas;
  meta: Meta;
  /** Show the row of an indicator, which may lie in a closed part. */
  onShow: (indicator: string) => void;
}

/** Sentences about a place that can be quoted as they are. */
export function StandsOut({ sentences, place, areas, meta, onShow }: Props) {
  if (sentences.length === 0) return null;
  const joint = { differs: ", ", position: ", ", similar: "; " };
  return (
    <Section title={t("sentences.title")} aside={t("sentences.aside")} class="stands-out">
      <ul>
        {sentences.map((sentence) => {
          const { indicator, title } = sentence.row.about;
          const { fact, comparison, conditions } = wordsOf(sentence, place, areas, meta);
          return (
            <li key={indicator} data-sentence={indicator}>
              <p>
                <b>{fact}</b>
                {joint[sentence.kind]}
                {comparison}.
              </p>
              <p class="note">
                {conditions.join("\u00a0· ")}
                <span class="not-printed">
                  {"\u00a0· "}
                  <a href={`#${indicator}`} onClick={() => onShow(indicator)}>
                    {t("sentences.row")}
                    <span class="unseen">: {title}</span>
                  </a>
                </span>
              </p>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

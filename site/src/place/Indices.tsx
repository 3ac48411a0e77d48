import { Fifths } from "../charts/Fifths";
import type { IndexMeta, Meta } from "../core/data";
import { number, period } from "../core/format";
import { t } from "../core/texts";
import { DataTable } from "../parts/DataTable";
import { Disclosure } from "../parts/Disclosure";
import { Section } from "../parts/Section";
import type { Index, IndexScore, Place } from "./model";
import { many } from "./words";

/** The indices of a place as fifths of all areas of its level; never as ranks. */
export function Indices({ place, meta }: { place: Place; meta: Meta }) {
  const shown = place.indices.flatMap((index) => {
    const about = meta.indices.find((entry) => entry.index === index.index);
    return about && index.scores.some(({ fifth }) => fifth !== null) ? [{ index, about }] : [];
  });
  if (shown.length === 0) return null;
  return (
    <Section title={t("place.indices")} aside={t("place.indices_aside", { many: many(place.level) })} id="indices" class="indices">
      <div class="columns two">
        {shown.map(({ index, about }) => (
          <OneIndex key={index.index + index.period} index={index} about={about} />
        ))}
      </div>
    </Section>
  );
}

function OneIndex({ index, about }: { index: Index; about: IndexMeta }) {
  const total = index.scores.find((score) => score.component === index.index) ?? index.scores[0];
  const components = index.scores.filter((score) => score !== total);
  if (!total) return null;
  return (
    <div class="index">
      <h3>{about.title}</h3>
      <p class="note">{[period(index.period), partsText(total)].filter(Boolean).join(" · ")}</p>
      <dl>
        <dt>
          <b>{t("place.index_total")}</b>
        </dt>
        <dd>
          <Fifths fifth={total.fifth} from={total.fifthLow} to={total.fifthHigh} />
        </dd>
        {components.map((score) => (
          <Component key={score.component} score={score} title={titleOf(about, score.component)} />
        ))}
      </dl>
      <Disclosure summary={t("place.index_points", { title: about.title })}>
        {() => (
          <>
            {about.note ? <p class="note">{about.note}</p> : null}
            <DataTable
              label={t("place.index_points", { title: about.title })}
              columns={[{ title: t("place.index_part") }, { title: t("place.index_score"), numeric: true }, { title: t("place.index_indicators"), numeric: true }, { title: t("place.index_peers"), numeric: true }]}
              rows={[total, ...components].map((score) => [
                score === total ? t("place.index_total") : titleOf(about, score.component),
                number(score.score, 1),
                partsText(score) || "–",
                score.peerPercentile === null ? "–" : `${number(score.peerPercentile, 0)} %`,
              ])}
            />
            <p class="note">{t("place.index_points_note")}</p>
          </>
        )}
      </Disclosure>
    </div>
  );
}

function Component({ score, title }: { score: IndexScore; title: string }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>
        <Fifths fifth={score.fifth} from={score.fifthLow} to={score.fifthHigh} />
      </dd>
    </>
  );
}

const partsText = ({ available, expected }: IndexScore): string => (available === null || expected === null ? "" : t("place.index_of", { available, expected }));

const titleOf = (about: IndexMeta, component: string): string => about.components.find((entry) => entry.component === component)?.title ?? component.replaceAll("_", " ");

import type { Meta } from "../core/data";
import { byName } from "../core/format";
import { byPublisher } from "../core/publishers";
import { t } from "../core/texts";
import { Section } from "../parts/Section";
import type { Place } from "./model";

/** The sources of what the page shows, and the files that hold it. */
export function Files({ place, meta }: { place: Place; meta: Meta }) {
  const used = new Set(place.rows.flatMap((row) => row.about.sources));
  const publishers = byPublisher(meta.sources.filter(({ source }) => used.has(source)));
  const topics = meta.topics.filter(({ indicators }) => indicators.some((id) => place.rows.some((row) => row.about.indicator === id)));
  return (
    <Section title={t("place.files")} id="files" class="files">
      <div class="columns two">
        <ul class="small">
          {publishers.map(([publisher, sources]) => (
            <li key={publisher}>
              <b>{publisher}</b>
              <span class="titles">: {sources.map(({ title }) => title).sort(byName()).join("; ")}</span>
            </li>
          ))}
        </ul>
        <div class="not-printed">
          <p class="small">
            <a href={`../../api/v1/areas/${encodeURIComponent(place.bundle)}.json`}>{t("place.file_api", { name: place.name })}</a>: {t("place.file_api_note")}
          </p>
          <p class="small">{t("place.file_topics", { code: place.code })}</p>
          <ul class="small topics">
            {topics.map(({ topic, title }) => (
              <li key={topic}>
                <a href={`../../topics/${encodeURIComponent(topic)}.csv`} download>
                  {title} (CSV)
                </a>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Section>
  );
}

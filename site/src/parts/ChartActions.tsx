import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { csvFile } from "../core/csv";
import { pictureOf, pngOf, save } from "../core/picture";
import { t } from "../core/texts";

interface Props {
  /** What is drawn: an element with the charts, their headings and legends. */
  figure: RefObject<HTMLElement | null>;
  /** The title of the picture, and of the frame where it is embedded. */
  title: string;
  /** The source line of the picture. */
  source: string;
  /** The name of the files, without an ending. */
  name: string;
  /** The shown selection as CSV. */
  csv?: () => string;
  /** The part of the page that an embedded frame shows. */
  part?: string;
}

/** What can be done with a chart: save it as a picture, save its data, embed it. */
export function ChartActions({ figure, title, source, name, csv, part }: Props) {
  const [embedding, setEmbedding] = useState(false);
  const [failed, setFailed] = useState(false);
  const draw = () => pictureOf(figure.current!, title, source);
  const png = () =>
    pngOf(draw()).then(
      (blob) => save(blob, `${name}.png`),
      () => setFailed(true),
    );
  return (
    <div class="chart-actions not-exported not-printed">
      <ul>
        <li>
          <button type="button" onClick={png} aria-label={t("indicator.save_png", { title })}>
            PNG
          </button>
        </li>
        <li>
          <button type="button" onClick={() => save(new Blob([draw().svg], { type: "image/svg+xml" }), `${name}.svg`)} aria-label={t("indicator.save_svg", { title })}>
            SVG
          </button>
        </li>
        {csv ? (
          <li>
            <button type="button" onClick={() => save(csvFile(csv()), `${name}.csv`)} aria-label={t("indicator.save_csv", { title })}>
              CSV
            </button>
          </li>
        ) : null}
        {part ? (
          <li>
            <button type="button" aria-expanded={embedding} onClick={() => setEmbedding(!embedding)} aria-label={t("indicator.embed_of", { title })}>
              {t("indicator.embed")}
            </button>
          </li>
        ) : null}
      </ul>
      {failed ? <p class="note">{t("indicator.png_failed")}</p> : null}
      {embedding && part ? <EmbedCode title={title} part={part} /> : null}
    </div>
  );
}

/** The code that shows a part of the page, or all of it, in a frame of another page. */
export function EmbedCode({ title, part }: { title: string; part?: string }) {
  const search = new URLSearchParams(location.search);
  search.set("embed", "1");
  if (part) search.set("part", part);
  else search.delete("part");
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const code = `<iframe src="${escaped(`${location.origin}${location.pathname}?${search}`)}" title="${escaped(title)}" width="100%" height="640" loading="lazy"></iframe>`;
  return (
    <pre tabIndex={0} role="region" aria-label={t("indicator.embed_code", { title })}>
      {code}
    </pre>
  );
}

import type { ComponentChildren } from "preact";
import { type IndicatorPage, type Source, load } from "../../core/data";
import { fileSize, isOlder } from "../../core/format";
import { levelCount } from "../../core/levels";
import { isWeb } from "../../core/links";
import { localized } from "../../core/localized";
import { byPublisher } from "../../core/publishers";
import { useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { EmbedCode } from "../../parts/ChartActions";
import { Disclosure } from "../../parts/Disclosure";
import { Section } from "../../parts/Section";
import type { Shared } from "./LevelSection";

interface FileEntry {
  path: string;
  bytes: number;
  files?: number;
}

/** What is good to know before the numbers are used; sources with licences; files of just this indicator; the code to embed it. */
export function Knowledge(props: Shared) {
  const { page, title } = props;
  const facts = factsOf(props);
  return (
    <Section id="know" title={t("indicator.know")} class="know">
        <div class="columns two">
          <ul>
            {facts.map((text, at) => (
              <li key={at}>{text}</li>
            ))}
          </ul>
          <div>
            <h3>{t("indicator.sources")}</h3>
            <ul>
              {byPublisher(Object.values(page.sources)).map(([publisher, sources]) => (
                <li key={publisher}>
                  {publisher}: {sources.map((source, at) => [at ? "; " : "", <SourceLine key={at} source={source} />])}
                </li>
              ))}
            </ul>
            <h3>{t("indicator.files")}</h3>
            <Files {...props} />
          </div>
        </div>
        <Disclosure summary={t("indicator.embed_page")}>{() => <EmbedCode title={title} />}</Disclosure>
    </Section>
  );
}

function factsOf({ page, meta, measured }: Shared): ComponentChildren[] {
  const { about, fine } = page;
  const facts: ComponentChildren[] = [];
  if (about.depends_on_size) facts.push(t("indicator.know_size"));
  facts.push(t(about.has_interval ? "indicator.know_interval" : about.group?.kind === "sum" ? "indicator.know_count" : "indicator.know_no_interval"));
  const level = meta.levels.find((entry) => entry.level === fine?.level);
  if (fine && level) {
    for (const [status, n] of Object.entries(fine.missing)) {
      const statusMeta = meta.statuses[status];
      if (statusMeta) facts.push(t("indicator.know_missing", { areas: levelCount(level, n), reason: statusMeta.explanation }));
    }
  }
  const notes = notesOf(page);
  if (notes.length > 0) facts.push(t("indicator.know_notes", { n: notes.length, notes: notes.join("; ") }));
  const newest = Math.max(...about.levels.map((entry) => Number((entry.newest ?? "0").slice(0, 4))));
  if (newest > 0 && isOlder(String(newest), meta.released)) facts.push(t("indicator.know_older", { period: String(newest) }));
  if (about.group === null && about.levels.length > 1) facts.push(t("indicator.know_no_group"));
  else if (about.group?.kind === "ratio") facts.push(t("indicator.know_group"));
  if (about.sdg) facts.push(t("indicator.sdg", { sdg: about.sdg }));
  if (measured.unit) facts.push(measured.decimals ? t("indicator.know_unit", { unit: measured.unit, n: measured.decimals }) : t("indicator.know_unit_whole", { unit: measured.unit }));
  return facts;
}

/** The notes of the sources to single values, each once. */
const notesOf = (page: IndicatorPage): string[] => [...new Set(Object.values(page.notes).map(localized))].filter(Boolean);

function SourceLine({ source }: { source: Source }) {
  const licence = source.licence === "NOASSERTION" ? t("indicator.licence_unknown") : source.licence;
  return (
    <>
      {isWeb(source.homepage) ? <a href={source.homepage}>{localized(source.title)}</a> : localized(source.title)} (
      {isWeb(source.licence_url) ? (
        <a href={source.licence_url} rel="license">
          {licence}
        </a>
      ) : (
        licence
      )}
      ){source.rights ? `. ${localized(source.rights)}` : ""}
    </>
  );
}

/** Files of the release with nothing but this indicator, and those of its topic; only those that the release has. */
function Files({ page, meta }: Shared) {
  const id = page.about.indicator;
  const { value: all } = useLoaded("files", () => load<FileEntry[]>("site/data/files.json"));
  const folder = (path: string) => all?.some((file) => file.path === path);
  const topic = meta.topics.find(({ indicators }) => indicators.includes(id));
  const links: { href: string; text: string; note?: string }[] = [
    { href: `api/v1/indicators/${id}.json`, text: t("indicator.file_newest") },
    { href: `api/v1/indicators/${id}/series.json`, text: t("indicator.file_series") },
  ];
  if (folder("csv/indicator_values/")) links.push({ href: `csv/indicator_values/${id}.csv`, text: t("indicator.file_csv") });
  if (folder("jsonstat/")) links.push({ href: `jsonstat/${id}.json`, text: "JSON-stat" });
  for (const ending of ["csv", "parquet"]) {
    const file = topic && all?.find(({ path }) => path === `topics/${topic.topic}.${ending}`);
    if (file) links.push({ href: file.path, text: t("indicator.file_topic", { topic: topic.title }), note: `${ending === "csv" ? "CSV" : "Parquet"}, ${fileSize(file.bytes)}` });
  }
  return (
    <ul>
      {links.map(({ href, text, note }) => (
        <li key={href}>
          <a href={`../../${href}`}>{text}</a>
          {note ? ` (${note})` : ""}
        </li>
      ))}
    </ul>
  );
}

import { useAnchor } from "../core/anchor";
import { type About, type Meta, type Source, load } from "../core/data";
import * as format from "../core/format";
import { capital } from "../core/levels";
import { isWeb } from "../core/links";
import { localized } from "../core/localized";
import { byPublisher } from "../core/publishers";
import { useLoaded } from "../core/state";
import { language, t } from "../core/texts";
import { type ReleaseFile, loadFiles } from "../core/files";
import type { PageProps } from "../main";
import { Changes } from "../parts/Changes";
import { Disclosure } from "../parts/Disclosure";
import { NotLoaded } from "../parts/Failure";
import { Section } from "../parts/Section";
import { StatusDrawing } from "../parts/StatusDrawing";

const PARTS = ["files", "programs", "sources", "statuses", "methods", "changes", "cite"] as const;
const METHODS = ["value", "interval", "comparison", "similar", "trend", "sexes", "cohesion", "index"] as const;

type Described = { indicators: About[]; sources: (Source & { source: string })[] };

/** The files of the release and how to read them, licences, statuses, methods, changes, and how to cite. */
export function Data({ meta }: PageProps) {
  const files = useLoaded("files", loadFiles);
  const described = useLoaded("sources", () => load<Described>("api/v1/indicators.json"));
  document.title = `${t("page.data.title")} – ${meta.title}`;
  useAnchor(Boolean((files.value || files.error) && (described.value || described.error)));
  return (
    <>
      <div class="page-head">
        <h1>{t("page.data.title")}</h1>
        <p class="lead">{t("data.lead", { version: meta.version, date: format.date(meta.released) })}</p>
        <ul class="jumps">
          {PARTS.map((part) => (
            <li key={part}>
              <a href={`#${part}`}>{t(`data.part_${part}`)}</a>
            </li>
          ))}
        </ul>
      </div>
      <Section id="files" title={t("data.part_files")}>
        <p>{t("data.files_note")}</p>
        {files.error ? <NotLoaded /> : files.value ? <Files files={files.value} /> : null}
      </Section>
      <Section id="programs" title={t("data.part_programs")}>
        <Programs version={meta.version} files={files.value ?? []} />
      </Section>
      <Section id="sources" title={t("data.part_sources")} aside={described.value ? t("data.sources_count", { n: described.value.sources.length }) : undefined}>
        <p>{t("data.sources_note", { licence: meta.licence })}</p>
        {described.error ? <NotLoaded /> : described.value ? <Sources described={described.value} /> : null}
      </Section>
      <Section id="statuses" title={t("data.part_statuses")}>
        <p>{t("data.statuses_note")}</p>
        <Statuses meta={meta} />
      </Section>
      <Section id="methods" title={t("data.part_methods")}>
        <div class="methods">
          {METHODS.map((method) => (
            <div key={method} id={`method-${method}`}>
              <h3>{t(`data.method_${method}_title`)}</h3>
              <p>{t(`data.method_${method}`)}</p>
            </div>
          ))}
        </div>
      </Section>
      <Section id="changes" title={t("data.part_changes")} aside={t("home.release", { version: meta.version, date: format.date(meta.released) })}>
        <Changes meta={meta} full />
      </Section>
      <Section id="cite" title={t("data.part_cite")}>
        <Cite meta={meta} />
      </Section>
    </>
  );
}

function FileLink({ file }: { file: ReleaseFile | undefined }) {
  if (!file) return null;
  const size = format.fileSize(file.bytes);
  if (file.files !== undefined) return <span>{t("data.folder", { n: file.files, format: file.format, size })}</span>;
  return (
    <>
      <a href={`../../${file.path.split("/").map(encodeURIComponent).join("/")}`}>{file.format || ending(file.path)}</a> {size}
    </>
  );
}

/** The ending of a name, for a format without a name of its own. */
const ending = (path: string): string => path.split(".").pop()!.toUpperCase();

const titleOf = (file: ReleaseFile): string => localized(file.title) || file.path;

function Files({ files }: { files: ReleaseFile[] }) {
  const of = (group: string) => files.filter((file) => file.group === group);
  const rest = ["maps", "statistics", "catalogues", "documents"].filter((group) => of(group).length);
  return (
    <>
      {of("topics").length ? (
        <>
          <h3>{t("data.group_topics")}</h3>
          <p class="small">{t("data.group_topics_note")}</p>
          <FileTable label={t("data.group_topics")} files={of("topics")} />
        </>
      ) : null}
      {of("spreadsheets").length ? (
        <>
          <h3>{t("data.group_spreadsheets")}</h3>
          <ul class="file-list">
            {of("spreadsheets").map((file) => (
              <li key={file.path}>
                {titleOf(file)}: <FileLink file={file} />
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {of("tables").length ? (
        <Disclosure summary={t("data.group_tables", { n: new Set(of("tables").map(titleOf)).size })}>
          {() => <FileTable label={t("data.part_files")} files={of("tables")} />}
        </Disclosure>
      ) : null}
      {rest.map((group) => (
        <Disclosure key={group} summary={t(`data.group_${group}`)}>
          {() => (
            <ul class="file-list">
              {of(group).map((file) => (
                <li key={file.path}>
                  {localized(file.title) ? `${localized(file.title)}: ` : ""}
                  <code>{file.path}</code> · <FileLink file={file} />
                </li>
              ))}
            </ul>
          )}
        </Disclosure>
      ))}
    </>
  );
}

/** Files with the same title in a row: as CSV, as Parquet, and in other formats. */
function FileTable({ label, files }: { label: string; files: ReleaseFile[] }) {
  const titles = [...new Set(files.map(titleOf))].sort(format.byName());
  const isMain = ({ format: format }: ReleaseFile) => format === "CSV" || format === "Parquet";
  const others = files.some((file) => !isMain(file));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="data file-table">
        <thead>
          <tr>
            <th scope="col">{t("data.content")}</th>
            <th scope="col">CSV</th>
            <th scope="col">Parquet</th>
            {others ? <th scope="col">{t("data.other_formats")}</th> : null}
          </tr>
        </thead>
        <tbody>
          {titles.map((title) => {
            const ofTitle = files.filter((file) => titleOf(file) === title);
            return (
              <tr key={title}>
                <th scope="row">{title}</th>
                <td>
                  <FileLink file={ofTitle.find((file) => file.format === "CSV")} />
                </td>
                <td>
                  <FileLink file={ofTitle.find((file) => file.format === "Parquet")} />
                </td>
                {others ? (
                  <td>
                    {ofTitle.filter((file) => !isMain(file)).map((file) => (
                      <FileLink key={file.path} file={file} />
                    ))}
                  </td>
                ) : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The address of the folder of the release, as a program needs it. */
const folder = (): string => new URL("../../", location.href).href;

function Programs({ version, files }: { version: string; files: ReleaseFile[] }) {
  const root = folder();
  const localizedReadme = `README.${language()}.md`;
  const readme = files.some(({ path }) => path === localizedReadme) ? localizedReadme : "README.md";
  const ways = [
    { key: "api", code: `curl -sL ${root}api/v1/index.json` },
    { key: "duckdb", code: `duckdb -c "from '${root}parquet/latest_values.parquet' limit 10"` },
    { key: "python", code: `import pandas as pd\nvalues = pd.read_parquet("${root}parquet/indicator_values.parquet")` },
    { key: "mcp", code: `zpo2 mcp --release ${version}` },
  ];
  return (
    <>
      <p>
        {t("data.programs_note")} <a href="../../api/v1/index.json">index.json</a>, <a href="../../api/v1/openapi.json">openapi.json</a>, <a href="../../llms.txt">llms.txt</a>,{" "}
        <a href={`../../${readme}`}>README</a>
      </p>
      <div class="ways">
        {ways.map(({ key, code }) => (
          <div key={key}>
            <h3>{t(`data.way_${key}_title`)}</h3>
            <p class="small">{t(`data.way_${key}`)}</p>
            <pre tabIndex={0} role="region" aria-label={t(`data.way_${key}_title`)}>{code}</pre>
          </div>
        ))}
      </div>
    </>
  );
}

const NO_LICENCE = "NOASSERTION";

type DescribedSource = Described["sources"][number];

/** All sources by their licence, the most common one first. */
function Sources({ described }: { described: Described }) {
  const used = new Map<string, number>();
  for (const { sources } of described.indicators) for (const source of sources) used.set(source, (used.get(source) ?? 0) + 1);
  const compare = format.byName();
  const byLicence = new Map<string, DescribedSource[]>();
  for (const source of described.sources) byLicence.set(source.licence, [...(byLicence.get(source.licence) ?? []), source]);
  const groups = [...byLicence].sort(([, a], [, b]) => b.length - a.length);
  return (
    <>
      {groups.map(([licence, group]) => (
        <Disclosure key={licence} summary={t("data.licence_group", { n: group.length, licence: capital(licenceName(licence)) })}>
          {() => <SourceTable licence={licence} used={used} sources={group.sort((a, b) => compare(localized(a.title), localized(b.title)))} />}
        </Disclosure>
      ))}
    </>
  );
}

const licenceName = (licence: string): string => (licence === NO_LICENCE ? t("data.licence_unstated") : licence);

function SourceTable({ licence, used, sources }: { licence: string; used: Map<string, number>; sources: DescribedSource[] }) {
  const text = sources.find(({ licence_url }) => isWeb(licence_url))?.licence_url;
  return (
    <>
      {text ? (
        <p class="small">
          <a href={text}>{t("data.licence_text", { licence })}</a>
        </p>
      ) : null}
      <div class="scroll" tabIndex={0} role="region" aria-label={`${t("data.part_sources")}: ${licenceName(licence)}`}>
        <table class="data source-table">
          <thead>
            <tr>
              <th scope="col">{t("data.source")}</th>
              <th scope="col" class="numeric">
                {t("data.source_used")}
              </th>
              <th scope="col">{t("data.source_citation")}</th>
            </tr>
          </thead>
          {byPublisher(sources).map(([publisher, ofPublisher]) => (
            <tbody key={publisher}>
              <tr class="group">
                <th colSpan={3} scope="rowgroup">
                  {publisher}
                </th>
              </tr>
              {ofPublisher.map((source) => (
                <tr key={source.source}>
                  <th scope="row">{isWeb(source.homepage) ? <a href={source.homepage}>{localized(source.title)}</a> : localized(source.title)}</th>
                  <td class="numeric">{format.number(used.get(source.source) ?? 0)}</td>
                  <td>
                    {localized(source.citation)}
                    {localized(source.rights) ? <span class="small">{localized(source.rights)}</span> : null}
                    {source.carrier ? <span class="small">{t("data.carrier", { carrier: source.carrier })}</span> : null}
                  </td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </>
  );
}

function Statuses({ meta }: { meta: Meta }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("data.part_statuses")}>
      <table class="data status-table">
        <thead>
          <tr>
            <th scope="col">{t("data.status")}</th>
            <th scope="col">{t("data.status_code")}</th>
            <th scope="col">{t("data.status_drawn")}</th>
            <th scope="col">{t("data.status_value")}</th>
            <th scope="col">{t("data.status_meaning")}</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(meta.statuses).map(([code, { name, explanation, has_value }]) => (
            <tr key={code} id={`status-${code}`}>
              <th scope="row">{name}</th>
              <td>{code}</td>
              <td>
                <StatusDrawing code={code} hasValue={has_value} />
              </td>
              <td>{t(has_value ? "data.with_value" : "data.without_value")}</td>
              <td>{explanation}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cite({ meta }: { meta: Meta }) {
  const values = { publisher: meta.publisher, title: meta.title, version: meta.version, year: meta.released.slice(0, 4), address: folder() };
  return (
    <>
      <p>{t("data.cite_note")}</p>
      <pre tabIndex={0} role="region" aria-label={t("data.part_cite")}>{t("data.citation", values)}</pre>
      <p class="small">
        <a href="../../CITATION.cff">CITATION.cff</a> · <a href="../../SHA256SUMS">SHA256SUMS</a> · <a href="../../provenance.json">provenance.json</a>
      </p>
    </>
  );
}

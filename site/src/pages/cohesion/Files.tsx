import { type Localized, type IndicatorMeta, load } from "../../core/data";
import { fileSize } from "../../core/format";
import { localized } from "../../core/localized";
import { address, useLoaded } from "../../core/state";
import { t } from "../../core/texts";
import { Section } from "../../parts/Section";

interface File {
  path: string;
  bytes: number;
  format: string;
  group: string;
  title: Localized;
  files?: number;
}

const TABLES = /(^|\/)cohesion_(dispersion|convergence)\./;

/** The files that the page is made from, and more of the indicator. */
export function Files({ indicator }: { indicator: IndicatorMeta }) {
  const files = useLoaded("files", () => load<File[]>("site/data/files.json"));
  const tables = (files.value ?? []).filter(({ path, group, files: parts }) => group === "tables" && TABLES.test(path) && !parts);
  const path = `api/v1/cohesion/${encodeURIComponent(indicator.indicator)}.json`;
  return (
    <Section title={t("cohesion.files")}>
      <ul>
        <li>
          <a href={`../../${path}`}>{t("cohesion.file_own", { title: indicator.title })}</a> (JSON)
        </li>
        {tables.map(({ path, bytes, format, title }) => (
          <li key={path}>
            <a href={`../../${path}`}>{localized(title)}</a> ({format}, {fileSize(bytes)})
          </li>
        ))}
        <li>
          <a href={address("indicator", { indicator: indicator.indicator })}>{t("cohesion.to_indicator", { title: indicator.title })}</a>
        </li>
      </ul>
    </Section>
  );
}

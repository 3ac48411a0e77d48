import type { ComponentChildren } from "preact";
import type { Meta } from "../core/data";
import { number } from "../core/format";
import { address } from "../core/state";
import { rich, t } from "../core/texts";
import { DataTable } from "./DataTable";
import { Disclosure } from "./Disclosure";

/** `changes` of meta as the release knows it. */
interface KnownChanges {
  previous_version?: string | null;
  not_comparable?: string | null;
  new_indicators?: string[];
  withdrawn_indicators?: string[];
  revised?: { indicator: string; changed: number; lost: number; found: number }[];
  tables?: { table: string; added: number; removed: number; changed: Record<string, number> }[];
}

/** New indicators that the first page names at most. */
const NEW = 8;

/** What changed since the release before, and where each change and the news of later releases are. */
export function Changes({ meta, full = false }: { meta: Meta; full?: boolean }) {
  const changes = meta.changes as KnownChanges;
  const titles = new Map(meta.indicators.map(({ indicator, title }) => [indicator, title]));
  const link = (indicator: string) => <a href={address("indicator", { indicator })}>{titles.get(indicator) ?? indicator}</a>;
  const withData = meta.indicators.filter(({ newest }) => Object.keys(newest).length > 0).length;
  const before = changes.previous_version;
  const added = changes.new_indicators ?? [];
  const withdrawn = changes.withdrawn_indicators ?? [];
  const revised = [...(changes.revised ?? [])].sort((a, b) => b.changed + b.lost + b.found - (a.changed + a.lost + a.found));
  const tables = changes.tables ?? [];
  const shown = full ? revised : revised.slice(0, 5);
  return (
    <>
      <ul class="news">
        {before ? null : <li>{t("changes.first", { n: withData, without: meta.indicators.length - withData })}</li>}
        {changes.not_comparable ? <li>{t("changes.not_comparable", { version: before ?? "" })}</li> : null}
        {before && !changes.not_comparable && !added.length && !withdrawn.length && !revised.length ? <li>{t("changes.none", { version: before })}</li> : null}
        {added.length ? (
          <li>
            {t("changes.new", { n: added.length })} {joined((full ? added : added.slice(0, NEW)).map(link))}
            {!full && added.length > NEW ? ", …" : ""}
          </li>
        ) : null}
        {withdrawn.length ? <li>{`${t("changes.withdrawn", { n: withdrawn.length })} ${withdrawn.map((indicator) => titles.get(indicator) ?? indicator).join(", ")}`}</li> : null}
        {shown.map(({ indicator, changed, lost, found }) => (
          <li key={indicator}>{rich("changes.revised", { indicator: link(indicator), changed: number(changed), found: number(found), lost: number(lost) })}</li>
        ))}
        {revised.length > shown.length ? <li>{t("changes.more", { n: revised.length - shown.length })}</li> : null}
      </ul>
      {full && tables.length ? (
        <Disclosure summary={t("changes.tables")}>
          {() => (
            <DataTable
              label={t("changes.tables")}
              columns={[{ title: t("changes.table") }, ...["added", "removed", "changed"].map((kind) => ({ title: t(`changes.${kind}`), numeric: true }))]}
              rows={tables.map(({ table, added: more, removed, changed }) => [
                table,
                number(more),
                number(removed),
                number(Object.values(changed).reduce((sum, cells) => sum + cells, 0)),
              ])}
            />
          )}
        </Disclosure>
      ) : null}
      <p class="small">
        <a href="../../csv/changes.csv">{t("changes.cells")}</a> · <a href="../../CHANGELOG.md">{t("changes.list")}</a> · <a href="../../../../feed.atom">{t("changes.feed")}</a> ·{" "}
        <a href={address("data")}>{t("changes.files")}</a>
      </p>
    </>
  );
}

const joined = (links: ComponentChildren[]) => links.map((link, position) => (position ? [", ", link] : link));

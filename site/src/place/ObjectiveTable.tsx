import { type Areas } from "../core/areas";
import type { Meta } from "../core/data";
import { t } from "../core/texts";
import { type Place, type Row, byTopic } from "./model";
import { RowOfTable } from "./RowOfTable";

interface Props {
  /** The name of the table for screen readers. */
  label: string;
  rows: Row[];
  place: Place;
  areas: Areas;
  meta: Meta;
}

/** Indicators of an objective by topic. The roles are said because narrow screens lay the table out as blocks. */
export function ObjectiveTable({ label, rows, place, areas, meta }: Props) {
  const against = place.peers.length ? t("place.against_both", { country: meta.country.name }) : t("place.against");
  const last = place.parent === null ? [t("place.sexes")] : [t("place.position"), against];
  const columns = [t("place.indicator"), t("place.value"), t("place.series"), ...last];
  return (
    <table class="place-rows" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((title) => (
            <th key={title} scope="col" role="columnheader">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      {byTopic(meta, rows).map(({ topic, title, rows: rowsOfTopic }) => (
        <tbody key={topic} role="rowgroup">
          {title ? (
            <tr role="row" class="topic">
              <th colSpan={columns.length} scope="rowgroup" role="rowheader">
                {title}
              </th>
            </tr>
          ) : null}
          {rowsOfTopic.map((row) => (
            <RowOfTable key={row.about.indicator} row={row} place={place} areas={areas} meta={meta} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

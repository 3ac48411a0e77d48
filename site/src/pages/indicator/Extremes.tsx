import { valueText } from "../../core/format";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { type Row, sortedRows, steadyRows } from "./rows";
import type { Measured } from "./words";

type Valued = Row & { value: number };

const MOST = 6;

/** The first of sorted rows; where more than fit share the last value, they are only counted. */
export function firstOf(rows: Valued[], most: number): { rows: Valued[]; tied: Valued[] } {
  const last = rows[most - 1];
  if (!last || rows[most]?.value !== last.value) return { rows: rows.slice(0, most), tied: [] };
  return { rows: rows.slice(0, most).filter(({ value }) => value !== last.value), tied: rows.filter(({ value }) => value === last.value) };
}

/** Beside a single map: the highest and the lowest values. */
export function Extremes({ rows, measured, period }: { rows: Row[]; measured: Measured; period: string }) {
  const sorted = steadyRows(sortedRows(rows));
  const most = Math.min(MOST, Math.floor(sorted.length / 2));
  if (most === 0) return null;
  const tables = [
    { title: t("indicator.highest"), ...firstOf(sorted, most) },
    { title: t("indicator.lowest"), ...firstOf([...sorted].reverse(), most) },
  ];
  return (
    <div class="extremes">
      {tables.map(({ title, rows: extremes, tied }) => (
        <table key={title} class="data">
          <caption>{title}</caption>
          <tbody>
            {extremes.map(({ code, name, value, status }) => (
              <tr key={code}>
                <th scope="row">
                  <a href={address("place", { area: code })}>{name}</a>
                </th>
                <td class="numeric" data-area={code} data-period={period} data-status={status}>
                  {valueText(value, measured)}
                </td>
              </tr>
            ))}
            {tied.length > 0 ? (
              <tr>
                <th scope="row">{t("indicator.n_areas", { n: tied.length })}</th>
                <td class="numeric">{valueText(tied[0]!.value, measured)}</td>
              </tr>
            ) : null}
          </tbody>
        </table>
      ))}
    </div>
  );
}

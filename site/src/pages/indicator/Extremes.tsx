import { valueText } from "../../core/format";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { type Row, sortedRows } from "./rows";
import type { Measured } from "./words";

/** Beside a single map: the highest and the lowest values. */
export function Extremes({ rows, measured, period }: { rows: Row[]; measured: Measured; period: string }) {
  const sorted = sortedRows(rows);
  const n = Math.min(6, Math.floor(sorted.length / 2));
  const tables: [string, typeof sorted][] = [
    [t("indicator.highest"), sorted.slice(0, n)],
    [t("indicator.lowest"), sorted.slice(sorted.length - n).reverse()],
  ];
  if (n === 0) return null;
  return (
    <div class="extremes">
      {tables.map(([title, own]) => (
        <table key={title} class="data">
          <caption>{title}</caption>
          <tbody>
            {own.map(({ code, name, value, status }) => (
              <tr key={code}>
                <th scope="row">
                  <a href={address("place", { area: code })}>{name}</a>
                </th>
                <td class="numeric" data-area={code} data-period={period} data-status={status}>
                  {valueText(value, measured)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </div>
  );
}

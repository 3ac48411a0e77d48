import { useState } from "preact/hooks";
import type { Value } from "../core/data";
import { interval, number } from "../core/format";
import { t } from "../core/texts";
import { type MarkedAxis, along } from "./scale";

export interface RankingRow {
  code: string;
  name: string;
  value: number;
  lower?: Value;
  upper?: Value;
  status: string;
  href: string;
}

export interface RankingBand {
  /** "Higher than Czechia", "Not different from Czechia", ... or the name of the only band. */
  title: string;
  /** "19 of 77". */
  aside?: string;
  rows: RankingRow[];
}

interface Props {
  /** Columns of bands, as they stand side by side. */
  columns: RankingBand[][];
  axis: Pick<MarkedAxis, "from" | "to">;
  /** The value of the country: a thin line in each row. */
  reference: Value;
  measured: { decimals: number | null; unit: string };
  period: string;
  chosen?: string | null;
  onChoose?: (code: string) => void;
  /** More rows of a band are shown on request. */
  most?: number;
}

const percent = (value: number, axis: Pick<MarkedAxis, "from" | "to">) => `${(100 * along(value, axis)).toFixed(2)}%`;

/** Areas from the highest to the lowest value in bands against the country, with their intervals and without numbers of rank. */
export function Ranking({ columns, most = 60, ...props }: Props) {
  return (
    <div class={columns.length > 1 ? "columns two ranking-columns" : "ranking-columns"}>
      {columns.map((bands, at) => (
        <div key={at}>
          {bands.map((band) => (
            <Band key={band.title} band={band} most={most} {...props} />
          ))}
        </div>
      ))}
    </div>
  );
}

function Band({ band, most, axis, reference, measured, period, chosen, onChoose }: Omit<Props, "columns" | "most"> & { band: RankingBand; most: number }) {
  const [open, setOpen] = useState(false);
  const rows = open || band.rows.length <= most ? band.rows : band.rows.filter(({ code }, at) => at < most || code === chosen);
  return (
    <>
      <table class="ranking">
        <caption>
          <b>{band.title}</b> {band.aside ? <span>{band.aside}</span> : null}
        </caption>
        <thead class="unseen">
          <tr>
            <th scope="col">{t("indicator.area")}</th>
            <th scope="col">{t("indicator.position")}</th>
            <th scope="col">{t("indicator.value")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ code, name, value, lower, upper, status, href }) => (
            <tr key={code} class={code === chosen ? "here" : undefined} data-area={code}>
              <th scope="row">
                <a
                  href={href}
                  aria-current={code === chosen ? "true" : undefined}
                  onClick={(event) => {
                    if (!onChoose || event.ctrlKey || event.metaKey || event.shiftKey) return;
                    event.preventDefault();
                    onChoose(code);
                  }}
                >
                  {name}
                </a>
              </th>
              <td class="picture">
                <svg width="100%" height="24" aria-hidden="true">
                  <line class="grid" x1="0" x2="100%" y1="12" y2="12" />
                  {reference === null ? null : <line class="reference" x1={percent(reference, axis)} x2={percent(reference, axis)} y1="0" y2="24" />}
                  {lower === null || lower === undefined || upper === null || upper === undefined ? null : (
                    <line class="whisker" x1={percent(lower, axis)} x2={percent(upper, axis)} y1="12" y2="12" />
                  )}
                  <circle class={"EIP".includes(status) ? "open" : undefined} cx={percent(value, axis)} cy="12" r="3.5" />
                </svg>
              </td>
              <td class="value">
                <span data-period={period} data-status={status}>
                  {number(value, measured.decimals)}
                </span>
                {interval(lower, upper, measured) ? <span class="unseen"> ({interval(lower, upper, measured)})</span> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {band.rows.length > most ? (
        <p class="small not-exported">
          <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("indicator.fewer") : t("indicator.all_of_band", { n: band.rows.length })}
          </button>
        </p>
      ) : null}
    </>
  );
}

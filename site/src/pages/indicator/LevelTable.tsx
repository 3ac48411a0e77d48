import { csv } from "../../core/csv";
import type { Meta } from "../../core/data";
import { interval, number } from "../../core/format";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { DataTable } from "../../parts/DataTable";
import { type Row, sortedRows } from "./rows";
import { outcomeText } from "./views";
import { type Measured, reasonText } from "./words";

interface Props {
  label: string;
  rows: Row[];
  period: string;
  meta: Meta;
  measured: Measured;
}

/** All areas of a map or a ranking with their numbers; those without a value at the end, with the reason. */
export function LevelTable({ label, rows, period, meta, measured }: Props) {
  const intervals = rows.some(({ lower }) => lower !== null);
  const sexes = rows.some(({ women, men }) => women !== null || men !== null);
  const bands = rows.some(({ outcome }) => outcome !== null);
  const parts = rows.some(({ denominator }) => denominator !== null);
  const notes = rows.some(({ value, note, status }) => value === null || note || status !== "A");
  const ordered = [...sortedRows(rows), ...rows.filter(({ value }) => value === null)];
  const unit = measured.unit ? ` (${measured.unit})` : "";
  return (
    <DataTable
      label={label}
      columns={[
        { title: t("indicator.area") },
        { title: `${t("indicator.value")}${unit}`, numeric: true },
        ...(intervals ? [{ title: t("indicator.interval"), numeric: true }] : []),
        ...(parts ? [{ title: t("indicator.numerator"), numeric: true }, { title: t("indicator.denominator"), numeric: true }] : []),
        ...(sexes ? [{ title: meta.sexes["F"] ?? "F", numeric: true }, { title: meta.sexes["M"] ?? "M", numeric: true }] : []),
        ...(bands ? [{ title: t("indicator.against", { country: meta.country.name }) }] : []),
        ...(notes ? [{ title: t("indicator.note") }] : []),
      ]}
      rows={ordered.map((row) => [
        <a href={address("place", { area: row.code })}>{row.name}</a>,
        <span data-area={row.code} data-period={period} data-status={row.status}>
          {number(row.value, measured.decimals)}
        </span>,
        ...(intervals ? [interval(row.lower, row.upper, { ...measured, unit: "" })] : []),
        ...(parts ? [plain(row.numerator), plain(row.denominator)] : []),
        ...(sexes
          ? (["F", "M"] as const).map((sex) => (
              <span data-area={row.code} data-period={period} data-sex={sex} data-status={sex === "F" ? row.womenStatus : row.menStatus}>
                {number(sex === "F" ? row.women : row.men, measured.decimals)}
              </span>
            ))
          : []),
        ...(bands ? [outcomeText(row.outcome, meta.country.name)] : []),
        ...(notes ? [row.value === null ? reasonText(row.status, row.note, meta) : row.note || (row.status === "A" ? "" : (meta.statuses[row.status]?.name ?? ""))] : []),
      ])}
    />
  );
}

const plain = (value: number | null): string => (value === null ? "" : number(value, Number.isInteger(value) ? 0 : 1));

/** The rows as a file, with all columns. */
export const rowsCsv = (rows: Row[], level: string, period: string, indicator: string): string =>
  csv(
    ["indicator", "level", "ref_area", "name", "time_period", "obs_value", "obs_status", "lower_95", "upper_95", "numerator", "denominator", "women", "men"],
    rows.map((row) => [indicator, level, row.code, row.name, period, row.value, row.status, row.lower, row.upper, row.numerator, row.denominator, row.women, row.men]),
  );

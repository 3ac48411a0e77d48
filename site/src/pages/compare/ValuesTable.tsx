import { type Comparison, type Row, hasGroup } from "../../core/comparison";
import type { IndicatorMeta, Localized, Meta, Value } from "../../core/data";
import { interval, period } from "../../core/format";
import { localized } from "../../core/localized";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { DataTable } from "../../parts/DataTable";
import { ValueText } from "../../parts/ValueText";
import { whyNone } from "./GroupWords";

interface Props {
  meta: Meta;
  comparisons: Comparison[];
  group: string | null;
  notes: Record<string, Localized>;
}

/** All values with their intervals, periods, statuses, and the reasons of those that are missing. */
export function ValuesTable({ meta, comparisons, group, notes }: Props) {
  const places = comparisons[0]?.rows.map(({ place }) => place) ?? [];
  const columns = [
    { title: t("compare.indicator") },
    ...places.map(({ name }) => ({ title: name, numeric: true })),
    ...(group ? [{ title: group, numeric: true }] : []),
    ...(meta.country.name ? [{ title: meta.country.name, numeric: true }] : []),
  ];
  return (
    <DataTable
      label={t("compare.table_label")}
      columns={columns}
      rows={comparisons.map(({ indicator, period: when, rows, group: sums, country }) => [
        <>
          <a href={address("indicator", { indicator: indicator.indicator })}>{indicator.title}</a>
          <span class="under">{[indicator.unit, period(when)].filter(Boolean).join(", ")}</span>
        </>,
        ...rows.map((row) => <PlaceCell meta={meta} indicator={indicator} period={when} row={row} notes={notes} />),
        ...(group
          ? [
              hasGroup(sums) ? (
                <>
                  <Cell indicator={indicator} period={when} area="group" status={sums.status} value={sums.value} lower={sums.lower} upper={sums.upper} />
                  {sums.status === "A" ? null : <span class="under reason">{statusName(meta, sums.status)}</span>}
                </>
              ) : (
                <>
                  –<span class="under reason">{whyNone(sums)}</span>
                </>
              ),
            ]
          : []),
        ...(meta.country.name
          ? [
              <>
                <Cell indicator={indicator} period={when} area={meta.country.code} {...(country ?? { status: "O", value: null, lower: null, upper: null })} />
                {country && country.value !== null ? null : <span class="under reason">{country ? statusName(meta, country.status) : t("compare.country_without")}</span>}
              </>,
            ]
          : []),
      ])}
    />
  );
}

function PlaceCell({ meta, indicator, period: when, row, notes }: { meta: Meta; indicator: IndicatorMeta; period: string; row: Row; notes: Props["notes"] }) {
  const { place, value, status, lower, upper, newest, note } = row;
  const reasons: string[] = [];
  if (status !== "A") reasons.push(statusName(meta, status));
  if (note && value === null) reasons.push(localized(notes[note]));
  if (newest !== null && newest !== when) reasons.push(t("compare.last", { period: period(newest) }));
  return (
    <>
      <Cell indicator={indicator} period={when} area={place.code} status={status} value={value} lower={lower} upper={upper} />
      {reasons.filter(Boolean).length > 0 ? <span class="under reason">{reasons.filter(Boolean).join("; ")}</span> : null}
    </>
  );
}

const statusName = (meta: Meta, status: string): string => meta.statuses[status]?.name ?? status;

interface CellProps {
  indicator: IndicatorMeta;
  period: string;
  area: string;
  status: string;
  value: Value;
  lower: Value;
  upper: Value;
}

function Cell({ area, ...shown }: CellProps) {
  const { indicator, lower, upper } = shown;
  return (
    <span data-area={area}>
      <ValueText {...shown} />
      {lower !== null && upper !== null ? <span class="under">{interval(lower, upper, indicator)}</span> : null}
    </span>
  );
}

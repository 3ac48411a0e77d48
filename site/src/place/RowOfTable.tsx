import { useState } from "preact/hooks";
import { Spark } from "../charts/Spark";
import { Strip } from "../charts/Strip";
import { type Areas } from "../core/areas";
import type { Meta } from "../core/data";
import { times, valueText } from "../core/format";
import { address } from "../core/state";
import { t } from "../core/texts";
import { Origin } from "../parts/Origin";
import { Comparison } from "./Comparison";
import { type Measurement, type Place, type Row, changeOf, isCount } from "./model";
import { intervalText, periodText, positionText, reason, seriesLines } from "./words";

interface Props {
  row: Row;
  place: Place;
  areas: Areas;
  meta: Meta;
}

/** One indicator of a place: value and interval, small series, position, comparison. The value opens where it comes from. */
export function RowOfTable({ row, place, areas, meta }: Props) {
  const [open, setOpen] = useState(false);
  const { about, period } = row;
  const id = about.indicator;
  const facts = { "data-area": place.code, "data-period": period };
  return (
    <>
      <tr role="row" class="row" id={id} data-indicator={id}>
        <th scope="row" role="rowheader">
          <a href={address("indicator", { indicator: id, level: place.level, area: place.code })}>{about.title}</a>
          <span class="note">{[about.unit, periodText(row, meta.released)].filter(Boolean).join(", ")}</span>
        </th>
        <td role="cell" class="value">
          <button type="button" class="figure" aria-expanded={open} aria-controls={`origin-${id}`} onClick={() => setOpen(!open)}>
            <span {...facts} data-status={row.status} data-lower={row.lower ?? undefined} data-upper={row.upper ?? undefined}>
              {valueText(row.value, about)}
            </span>
            <span class="unseen"> – {t("place.where_from")}</span>
          </button>
          {row.value === null ? <span class="note">{reason(row.status, about.supplier)}</span> : <Reservations row={row} meta={meta} />}
        </td>
        <td role="cell" class="series">
          <Spark points={row.series} />
          {seriesLines(row).map((line) => <span key={line} class="note">{line}</span>)}
        </td>
        <td role="cell" class="position">
          <PositionCell row={row} place={place} areas={areas} />
        </td>
        {place.parent === null ? null : (
          <td role="cell" class="against">
            <Comparison row={row} place={place} meta={meta} />
          </td>
        )}
      </tr>
      {open ? (
        <tr role="row" class="origin-row" id={`origin-${id}`}>
          <td role="cell" colSpan={place.parent === null ? 4 : 5}>
            <Origin
              indicator={id}
              about={about}
              area={{ code: place.code, name: place.name }}
              period={period}
              value={row.value}
              status={row.status}
              lower={row.lower}
              upper={row.upper}
              numerator={row.numerator}
              denominator={row.denominator}
              change={changeOf(row, place.rows)}
              notes={row.notes}
              meta={meta}
            />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** The interval of a value, and its status if that is not the normal one. */
function Reservations({ row, meta }: { row: Row; meta: Meta }) {
  const range = intervalText(row, row);
  const status = ["A", "B"].includes(row.status) ? null : meta.statuses[row.status]?.name;
  const { is_log_ratio: isLogRatio, change_years: years } = row.about;
  return (
    <>
      {range ? <span class="note">{range}</span> : null}
      {isLogRatio && years ? <span class="note">{t("place.times", { n: years, times: times(row.value!, row.about) })}</span> : null}
      {status ? <span class="note">{status}</span> : null}
    </>
  );
}

function PositionCell({ row, place, areas }: { row: Row; place: Place; areas: Areas }) {
  const { about, women, men } = row;
  if (isCount(about)) {
    return (
      <>
        <span class="note">{t("place.count")}</span>
        <Sexes row={row} place={place} />
      </>
    );
  }
  if (row.value === null) return null;
  const words = positionText(row, place, areas);
  const drawn = row.others.length > 0 || row.peerValues.length > 0;
  return (
    <>
      {drawn ? (
        <Strip
          value={row.value}
          lower={row.lower}
          upper={row.upper}
          others={row.others}
          peers={row.peerValues}
          country={row.above.country?.value}
          women={women?.value}
          men={men?.value}
          unit={about.unit}
        />
      ) : null}
      {words ? <span class="note">{words}</span> : null}
      <Sexes row={row} place={place} />
    </>
  );
}

/** The values of women and men, which the strip shows as a filled and an open mark. */
function Sexes({ row, place }: { row: Row; place: Place }) {
  const { women, men, about, period } = row;
  if (!women || !men || (women.value === null && men.value === null)) return null;
  const shown = (measured: Measurement, sex: string) => (
    <span data-area={place.code} data-period={period} data-sex={sex} data-status={measured.status}>
      {valueText(measured.value, about)}
    </span>
  );
  return (
    <span class="note">
      {t("place.women")} {shown(women, "F")}, {t("place.men")} {shown(men, "M")}
    </span>
  );
}

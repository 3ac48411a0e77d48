import type { Meta, Value } from "../core/data";
import { valueText } from "../core/format";
import { t } from "../core/texts";
import { type Place, type Reference, type Row, isCount, middle } from "./model";
import { reason } from "./words";

/** How a value compares with similar places and with the country: two lines, similar places first. */
export function Comparison({ row, place, meta }: { row: Row; place: Place; meta: Meta }) {
  if (isCount(row.about) || row.value === null) return null;
  const { country } = row.above;
  return (
    <ul>
      {place.peers.length > 0 ? <PeersLine row={row} /> : null}
      {country && country.area !== place.area ? (
        country.value === null ? (
          <Line glyph="–" text={t("place.reference_missing", { reference: meta.country.name, reason: reason(country.status, "") })} />
        ) : (
          <ReferenceLine row={row} reference={row.country} value={country.value} name={meta.country.name} judged={!row.about.depends_on_size} />
        )
      ) : null}
    </ul>
  );
}

function PeersLine({ row }: { row: Row }) {
  if (row.peers && row.peers.value !== null) return <ReferenceLine row={row} reference={row.peers} value={row.peers.value} name={t("place.similar")} judged />;
  const half = middle(row.peerValues);
  return half === null ? null : <Line glyph="·" text={t("place.middle", { value: valueText(half, row.about) })} />;
}

interface ReferenceProps {
  row: Row;
  reference: Reference | null;
  value: Value;
  name: string;
  /** Whether better and worse may be said. */
  judged: boolean;
}

function ReferenceLine({ row, reference, value, name, judged }: ReferenceProps) {
  const text = `${name} ${valueText(value, row.about)}`;
  const outcome = reference?.outcome ?? null;
  if (reference?.value === null || outcome === null || value === null) return <Line glyph="·" text={text} />;
  if (outcome === "similar") return <Line glyph="≈" before={t("place.similar_to")} text={text} />;
  if (outcome === "too_few") return <Line glyph="·" text={t("place.too_few", { reference: text })} />;
  if (!["better", "worse", "higher", "lower"].includes(outcome) || row.value === value) return <Line glyph="·" text={text} />;
  const higher = row.value! > value;
  const judgement = judged && outcome === "better" ? "better" : judged && outcome === "worse" ? "worse" : null;
  return (
    <li class="differs">
      <i aria-hidden="true">{higher ? "▲" : "▼"}</i>
      <b>{higher ? t("place.higher") : t("place.lower")}</b> {text}
      {judgement ? (
        <>
          {" · "}
          <b class={judgement}>{judgement === "better" ? t("place.better") : t("place.worse")}</b>
        </>
      ) : null}
    </li>
  );
}

function Line({ glyph, before, text }: { glyph: string; before?: string; text: string }) {
  return (
    <li>
      <i aria-hidden="true">{glyph}</i>
      {before ? <span class="unseen">{before} </span> : null}
      {text}
    </li>
  );
}

import type { ComponentChildren } from "preact";
import { type Areas } from "../core/areas";
import type { Meta } from "../core/data";
import { t } from "../core/texts";
import { type Place, isEmpty } from "./model";
import { countAround, many } from "./words";

/** How to read the strips and the comparisons. */
export function Key({ place, areas, meta }: { place: Place; areas: Areas; meta: Meta }) {
  const shown = place.rows.filter((row) => row.about.display === "headline" && row.value !== null);
  const pairs = shown.some((row) => row.women && row.men && row.about.group?.kind !== "sum");
  const intervals = shown.some((row) => row.lower !== null);
  if (isEmpty(place) || (place.around === 0 && place.peers.length === 0)) return null;
  const compared = place.area !== meta.country.area;
  return (
    <section class="key">
      <h2 class="unseen">{t("place.key")}</h2>
      <ul>
        <Entry picture={<><line class="range" x1="2" x2="28" y1="10" y2="10" /><circle class="here" cx="15" cy="10" r="6" /></>}>
          <b>{place.name}</b> {intervals ? t("place.key_interval") : ""}
        </Entry>
        {place.around > 0 ? <Entry picture={<path class="ticks" d="M4 4V16M8 4V16M10 4V16M15 4V16M22 4V16M26 4V16" />}>{countAround(place, areas, place.around + 1)}</Entry> : null}
        {place.peers.length > 0 ? <Entry picture={<path class="peers" d="M6 10h0M14 10h0M24 10h0" />}>{t("place.key_similar", { n: place.peers.length, many: many(place.level) })}</Entry> : null}
        {compared ? <Entry width={12} picture={<line class="country" x1="6" x2="6" y1="1" y2="19" />}>{meta.country.name}</Entry> : null}
        {pairs ? (
          <Entry picture={<><line class="pair" x1="5" x2="24" y1="10" y2="10" /><circle class="women" cx="24" cy="10" r="4.5" /><circle class="men" cx="6" cy="10" r="4" /></>}>
            {t("place.key_sexes")}
          </Entry>
        ) : null}
      </ul>
      {compared ? <p class="note">{t("place.key_glyphs")}</p> : null}
    </section>
  );
}

function Entry({ picture, width = 30, children }: { picture: ComponentChildren; width?: number; children: ComponentChildren }) {
  return (
    <li>
      <svg class="strip" width={width} height="20" viewBox={`0 0 ${width} 20`} aria-hidden="true" focusable="false">
        {picture}
      </svg>
      <span>{children}</span>
    </li>
  );
}

import type { IndicatorMeta, Meta } from "../core/data";
import { byName } from "../core/format";
import { capital, levelName } from "../core/levels";
import { address } from "../core/state";
import { t } from "../core/texts";
import { Disclosure } from "../parts/Disclosure";
import { Section } from "../parts/Section";
import { type MissingParts, missingOf } from "./gaps";
import { type Place, type Row, isEmpty } from "./model";
import { reason } from "./words";

/** What is not known about a place: by who could supply it, and what only this place lacks. */
export function Missing({ place, meta }: { place: Place; meta: Meta }) {
  const { suppliers, elsewhere, here } = missingOf(place, meta);
  const count = suppliers.reduce((sum, group) => sum + group.indicators.length, 0);
  if (count + elsewhere.length + here.length === 0) return null;
  return (
    <Section title={t("place.missing")} aside={t("place.missing_aside", { n: count })} id="missing" class={isEmpty(place) ? "missing page-break" : "missing"}>
      {count > 0 ? <p>{t("place.missing_lead")}</p> : null}
      <div class="columns two">
        {suppliers.map(({ supplier, indicators }) => (
          <div key={supplier}>
            <h3>
              {capital(supplier || t("place.missing_others"))} <small>{indicators.length}</small>
            </h3>
            <Disclosure summary={t("place.missing_which", { supplier: supplier || t("place.missing_others") })}>{() => <Needed indicators={indicators} withSupplier={!supplier} />}</Disclosure>
          </div>
        ))}
      </div>
      {elsewhere.length > 0 ? (
        <Disclosure summary={t("place.elsewhere", { n: elsewhere.length })}>
          {() => (
            <ul class="small">
              {elsewhere.map((about) => (
                <li key={about.indicator}>
                  <a href={address("indicator", { indicator: about.indicator })}>{about.title}</a>: {levelsOf(about, meta)}
                </li>
              ))}
            </ul>
          )}
        </Disclosure>
      ) : null}
      <p class="small">
        <b>{t("place.only_here", { name: place.name })}</b>{" "}
        {here.length === 0
          ? t(isEmpty(place) ? "place.no_newest" : "place.nothing_only_here")
          : null}
      </p>
      {here.length ? (
        <ul class="small only-here">
          {byReason(here).map(([why, rows]) => (
            <li key={why}>
              {why}:{" "}
              {rows.map((row, position) => (
                <span key={row.about.indicator}>
                  {position ? ", " : ""}
                  <a href={`#${row.about.indicator}`}>{row.about.title}</a>
                </span>
              ))}
            </li>
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

/** What is missing by the words of the reason, that of most indicators first. */
function byReason(here: MissingParts["here"]): [string, Row[]][] {
  const found = new Map<string, Row[]>();
  for (const { row, status } of here) {
    const why = capital(reason(status, row.about.supplier));
    found.set(why, [...(found.get(why) ?? []), row]);
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}

function Needed({ indicators, withSupplier }: { indicators: IndicatorMeta[]; withSupplier: boolean }) {
  const sorted = [...indicators].sort((a, b) => byName()(a.title, b.title));
  return (
    <ul class="small">
      {sorted.map((about) => (
        <li key={about.indicator}>
          <a href={address("indicator", { indicator: about.indicator })}>{about.title}</a>
          {withSupplier && about.supplier ? ` – ${about.supplier}` : ""}
          {about.needed ? `: ${about.needed}` : ""}
        </li>
      ))}
    </ul>
  );
}

const levelsOf = (about: IndicatorMeta, meta: Meta): string =>
  meta.levels.filter((level) => about.newest[level.level]).map((level) => `${levelName(level)} (${about.newest[level.level]})`).join(", ");

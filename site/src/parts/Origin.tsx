import type { IndicatorMeta, Meta, Source, Value } from "../core/data";
import { loadIndicatorPage } from "../core/data";
import { formulaOf } from "../core/formula";
import { interval, number, period as periodText, valueText } from "../core/format";
import { isWeb } from "../core/links";
import { localized } from "../core/localized";
import { byPublisher } from "../core/publishers";
import { useLoaded } from "../core/state";
import { type Counted, intervalKind } from "../core/statistics";
import { t } from "../core/texts";
import { FormulaLine } from "./FormulaLine";

/** Two values of an indicator, of which another one is the change. */
export interface Change {
  about: IndicatorMeta;
  from: { period: string; value: Value };
  to: { period: string; value: Value };
}

export interface OriginProps {
  indicator: string;
  about: IndicatorMeta;
  area: { code: string; name: string };
  period: string;
  value: Value;
  status: string;
  lower?: Value;
  upper?: Value;
  numerator?: Value;
  denominator?: Value;
  /** "F" or "M" if the value is not the total. */
  sex?: string;
  /** Of an indicator of change: the two values that it compares. */
  change?: Change | null;
  /** Ids of notes of the sources on this value. */
  notes?: string[];
  meta: Meta;
}

/** Where a number comes from: definition, computation with its figures, interval, status, sources, and the command that leads to the bytes. */
export function Origin({ indicator, about, area, period, value, status, lower, upper, numerator, denominator, sex, change = null, notes = [], meta }: OriginProps) {
  const page = useLoaded(indicator, () => loadIndicatorPage(indicator));
  if (page.error) return <p class="origin">{t("common.failed")}</p>;
  if (!page.value) return <p class="origin loading">{t("common.loading")}</p>;
  const { about: full, sources, notes: texts } = page.value;
  const inFigures = change ? changeFigures(about, value, change) : figures(about, value, numerator, denominator);
  const formula = formulaOf(full.formula, indicator);
  const range = interval(lower, upper, about);
  const command = ["zpo2 explain", indicator, area.code, period, ...(sex ? ["--sex", sex] : []), "--pack", `packs/${meta.pack}`].join(" ");
  return (
    <div class="origin" role="group" aria-label={t("place.origin", { title: about.title })}>
      <dl>
        <Fact title={t("place.origin_definition")}>{localized(full.description)}</Fact>
        {inFigures || formula ? (
          <Fact title={t("place.origin_computation")}>
            {inFigures}
            {formula ? <FormulaLine formula={formula} inputs={full.inputs ?? {}} meta={meta} /> : null}
          </Fact>
        ) : null}
        {range ? <Fact title={t("place.origin_interval")}>{method(about, { value, numerator: numerator ?? null, denominator: denominator ?? null, lower: lower ?? null, upper: upper ?? null }, range)}</Fact> : null}
        <Fact title={t("place.origin_status")}>
          {meta.statuses[status] ? `${meta.statuses[status]!.name}: ${meta.statuses[status]!.explanation}` : status}
          {notes.map((note) => (
            <p key={note}>{localized(texts[note])}</p>
          ))}
        </Fact>
        <Fact title={t("place.origin_sources", { n: full.sources.length })}>
          <ul>
            {byPublisher(full.sources.flatMap((id) => sources[id] ?? [])).map(([publisher, ofPublisher]) => (
              <li key={publisher}>
                {publisher}: {ofPublisher.map((source, at) => <SourceText key={at} source={source} />)}
              </li>
            ))}
          </ul>
        </Fact>
        <Fact title={t("place.origin_bytes")}>
          {t("place.origin_command", { area: area.name, period: periodText(period) })}
          <pre>{command}</pre>
        </Fact>
      </dl>
    </div>
  );
}

function SourceText({ source }: { source: Source }) {
  return (
    <>
      {isWeb(source.homepage) ? <a href={source.homepage}>{localized(source.title)}</a> : localized(source.title)}
      {". "}
      {source.citation ? `${localized(source.citation).replace(/\.$/, "")}. ` : ""}
      {t("place.origin_licence", { licence: source.licence === "NOASSERTION" ? t("place.licence_unstated") : source.licence })}{" "}
    </>
  );
}

function Fact({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** "100 × 35 ÷ 115 = 30,4 %", where numerator and denominator give the value. */
function figures(about: IndicatorMeta, value: Value, numerator: Value | undefined, denominator: Value | undefined) {
  if (about.group?.kind !== "ratio" || value === null || numerator === null || numerator === undefined || !denominator) return null;
  const factor = about.group.multiplier === 1 ? "" : `${plain(about.group.multiplier)} × `;
  return <p class="figures">{`${factor}${plain(numerator)} ÷ ${plain(denominator)} = ${withItsUnit(value, about)}`}</p>;
}

/** "Inhabitants: 10,430 (2019), 10,493 (2024); change 0.6%." */
function changeFigures(about: IndicatorMeta, value: Value, { about: of, from, to }: Change) {
  if (value === null || from.value === null || to.value === null) return null;
  const values = { name: of.title, first: valueText(from.value, of), from: periodText(from.period), last: valueText(to.value, of), to: periodText(to.period) };
  return <p class="figures">{t("indicator.changed", { ...values, change: withItsUnit(value, about) })}</p>;
}

/** A value with all of its unit. */
function withItsUnit(value: Value, about: IndicatorMeta): string {
  const text = valueText(value, about);
  return text === number(value, about.decimals) && about.unit ? t("place.value_unit", { value: text, unit: about.unit }) : text;
}

/** The interval and its method, if the published bounds can only come from that one. */
function method(about: IndicatorMeta, cell: Counted, range: string): string {
  const kind = about.group && intervalKind([cell], about.group, about.decimals);
  if (kind === "rate") return t("place.origin_rate", { interval: range });
  const rare = cell.numerator === null || cell.denominator === null || cell.numerator < RARE * cell.denominator;
  return kind === "proportion" && !rare ? t("place.origin_proportion", { interval: range }) : t("place.origin_interval_text", { interval: range });
}

/** For shares below this the bounds of the two methods agree to their decimals. */
const RARE = 0.02;

const plain = (value: number): string => number(value, [0, 1, 2].find((decimals) => Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals)) < 1e-6) ?? 3);

import { useAnchor } from "../core/anchor";
import type { IndicatorMeta, Measure, Meta } from "../core/data";
import * as format from "../core/format";
import { levelName } from "../core/levels";
import { address } from "../core/state";
import { suppliersOf } from "../core/suppliers";
import { t } from "../core/texts";
import type { PageProps } from "../main";
import { Disclosure } from "../parts/Disclosure";
import { Dots } from "../parts/Dots";
import { Section } from "../parts/Section";

/** The measures of each objective: what is known about them, where and since when, what is missing, and who could supply it. */
export function Measures({ meta }: PageProps) {
  document.title = `${t("page.measures.title")} – ${meta.title}`;
  useAnchor(true);
  const declared = meta.measures.filter(({ indicators }) => indicators > 0);
  const measuresWithData = declared.filter(({ indicators_with_data }) => indicators_with_data > 0);
  return (
    <>
      <div class="page-head">
        <h1>{t("page.measures.title")}</h1>
        <p class="lead">{t("measures.lead", { n: meta.measures.length, known: measuresWithData.length })}</p>
        <p>
          {t("measures.cohesion")} <a href={address("cohesion")}>{t("home.cohesion_link")}</a>
        </p>
        <ul class="jumps">
          {meta.objectives.map(({ objective, title }) => (
            <li key={objective}>
              <a href={`#${objective}`}>{title}</a>
            </li>
          ))}
        </ul>
      </div>
      {meta.objectives.map(({ objective, title }) => {
        const ofObjective = meta.indicators.filter((indicator) => indicator.objective === objective);
        const measures = meta.measures.filter((measure) => measure.objective === objective);
        const declaredHere = measures.filter(({ indicators }) => indicators > 0);
        const undeclared = measures.filter(({ indicators }) => indicators === 0);
        const others = ofObjective.filter(({ measure }) => !measures.some((entry) => entry.measure === measure));
        const hasRows = declaredHere.length + others.length > 0;
        return (
          <Section key={objective} id={objective} title={title} aside={objective}>
            {hasRows ? (
              <table class="measures" role="table" aria-label={title}>
                <thead role="rowgroup">
                  <tr role="row">
                    <th role="columnheader" scope="col">
                      {t("measures.measure")}
                    </th>
                    <th role="columnheader" scope="col">
                      {t("measures.indicators")}
                    </th>
                    <th role="columnheader" scope="col">
                      {t("measures.where")}
                    </th>
                    <th role="columnheader" scope="col">
                      {t("measures.newest")}
                    </th>
                    <th role="columnheader" scope="col">
                      {t("measures.missing")}
                    </th>
                  </tr>
                </thead>
                <tbody role="rowgroup">
                  {declaredHere.map((measure) => (
                    <Row
                      key={measure.measure}
                      id={`${objective}.${measure.measure}`}
                      number={measure.measure}
                      title={measure.title}
                      measure={measure}
                      meta={meta}
                      indicators={ofObjective.filter((indicator) => indicator.measure === measure.measure)}
                    />
                  ))}
                  {others.length ? (
                    <Row
                      id={`${objective}.others`}
                      number="–"
                      title={t(measures.length ? "measures.others" : "measures.all_of_objective")}
                      measure={null}
                      meta={meta}
                      indicators={others}
                    />
                  ) : null}
                </tbody>
              </table>
            ) : null}
            {undeclared.length || !hasRows ? (
              <p class="small">
                <b>{t("measures.undeclared")}</b> {undeclared.length ? undeclared.map(({ measure, title }) => `${measure} ${title}`).join("; ") : t("measures.whole_objective")}
              </p>
            ) : null}
          </Section>
        );
      })}
    </>
  );
}

interface RowProps {
  id: string;
  number: string;
  title: string;
  measure: Measure | null;
  meta: Meta;
  indicators: IndicatorMeta[];
}

const hasData = ({ newest }: IndicatorMeta): boolean => Object.keys(newest).length > 0;

function Row({ id, number, title, measure, meta, indicators }: RowProps) {
  const withData = indicators.filter(hasData);
  const missing = indicators.filter((indicator) => !hasData(indicator));
  const newest = withData.flatMap((indicator) => Object.values(indicator.newest)).sort().at(-1);
  const finest = meta.levels.find(({ level }) => withData.some((indicator) => indicator.newest[level]));
  return (
    <tr role="row" id={id} class={location.hash === `#${id}` ? "named" : undefined}>
      <th role="rowheader" scope="row">
        <span class="number" aria-hidden={number === "–"}>
          {number}
        </span>
        <span>{title}</span>
      </th>
      <td role="cell" class="known">
        <p class="count">
          <Dots full={withData.length} all={indicators.length} />
          <span aria-hidden="true">{t("measures.of", { full: withData.length, all: indicators.length })}</span>
        </p>
        <IndicatorsWithData indicators={withData} />
      </td>
      <td role="cell" data-label={t("measures.where")}>
        {withData.length === 0 ? `– ${t("measures.no_data")}` : measure ? t("measures.areas", { n: measure.areas }) : finest ? t("measures.from_level", { level: levelName(finest) }) : ""}
        {measure && finest ? <span class="note">{t("measures.from_level", { level: levelName(finest) })}</span> : null}
      </td>
      <td role="cell" data-label={t("measures.newest")}>
        {newest ? format.period(newest) : "–"}
        {newest && format.isOlder(newest, meta.released) ? <span class="note">{t("common.older")}</span> : null}
      </td>
      <td role="cell" class="missing">
        {missing.length ? <Missing indicators={missing} meta={meta} /> : t("measures.complete")}
      </td>
    </tr>
  );
}

/** Links to the indicators with data; many of them closed. */
function IndicatorsWithData({ indicators }: { indicators: IndicatorMeta[] }) {
  const list = () => (
    <ul>
      {indicators.map(({ indicator, title }) => (
        <li key={indicator}>
          <a href={address("indicator", { indicator })}>{title}</a>
        </li>
      ))}
    </ul>
  );
  if (indicators.length <= 3) return indicators.length ? list() : null;
  return <Disclosure summary={t("measures.show", { n: indicators.length })}>{list}</Disclosure>;
}

/** What is missing by who could supply it: how many and who at once, what exactly on demand. */
function Missing({ indicators, meta }: { indicators: IndicatorMeta[]; meta: Meta }) {
  const suppliers = [...new Set(indicators.map(({ supplier }) => supplier))].sort(format.byName());
  const names = suppliersOf(suppliers, new Set(meta.indicators.map(({ supplier }) => supplier)));
  return (
    <>
      <p>{t("measures.suppliers", { n: indicators.length, suppliers: names.sort(format.byName()).join("; ") || "–" })}</p>
      <Disclosure summary={t("measures.what")}>
        {() =>
          suppliers.map((supplier) => (
            <div key={supplier} class="supplier">
              <b>{supplier || t("measures.supplier_unknown")}</b>
              <ul>
                {indicators
                  .filter((indicator) => indicator.supplier === supplier)
                  .map(({ indicator, title, needed }) => (
                    <li key={indicator}>
                      <a href={address("indicator", { indicator })}>{title}</a>
                      {needed ? `: ${needed}` : ""}
                    </li>
                  ))}
              </ul>
            </div>
          ))
        }
      </Disclosure>
    </>
  );
}

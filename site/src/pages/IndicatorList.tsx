import { useMemo } from "preact/hooks";
import { useAnchor } from "../core/anchor";
import type { IndicatorMeta, Level, Meta } from "../core/data";
import { fold } from "../core/folding";
import * as format from "../core/format";
import { capital, levelName } from "../core/levels";
import { address, useQuery } from "../core/state";
import { t } from "../core/texts";
import type { PageProps } from "../main";
import { Disclosure } from "../parts/Disclosure";
import { Section } from "../parts/Section";

/** The page of indicators when none is chosen: all of them by objective and topic. `?q=TEXT&data=1` narrows the list. */
export function IndicatorList({ meta }: PageProps) {
  const [query, change] = useQuery();
  const text = query["q"] ?? "";
  const onlyWithData = query["data"] === "1";
  document.title = `${t("page.indicator.title")} – ${meta.title}`;
  useAnchor(true);
  const matching = useMemo(() => {
    const tokens = fold(text).split(" ").filter(Boolean);
    const compare = format.byName();
    return meta.indicators
      .filter((indicator) => (!onlyWithData || hasData(indicator)) && tokens.every((token) => searched(indicator).includes(token)))
      .sort((a, b) => a.display.localeCompare(b.display) || compare(a.title, b.title));
  }, [meta, text, onlyWithData]);
  const objectives = meta.objectives.filter(({ objective }) => matching.some((indicator) => indicator.objective === objective));
  const others = matching.filter((indicator) => !meta.objectives.some(({ objective }) => objective === indicator.objective));

  return (
    <>
      <div class="page-head">
        <h1>{t("page.indicator.title")}</h1>
        <p class="lead">{t("indicators.lead", { n: meta.indicators.filter(hasData).length, without: meta.indicators.filter((indicator) => !hasData(indicator)).length })}</p>
        <form class="filter" role="search" aria-label={t("indicators.filter")} onSubmit={(event) => event.preventDefault()}>
          <label>
            {t("indicators.search")}
            <input type="text" inputMode="search" value={text} maxLength={100} autocomplete="off" onInput={(event) => change({ q: event.currentTarget.value || null }, true)} />
          </label>
          <label class="check">
            <input type="checkbox" checked={onlyWithData} onChange={(event) => change({ data: event.currentTarget.checked ? "1" : null }, true)} />
            {t("indicators.only_with_data")}
          </label>
          <p role="status" class="small">
            {text || onlyWithData ? t("indicators.found", { n: matching.length }) : ""}
          </p>
        </form>
        <ul class="jumps">
          {objectives.map(({ objective, title }) => (
            <li key={objective}>
              <a href={`#${objective}`}>{title}</a>
            </li>
          ))}
          {meta.indices.length && !text ? (
            <li key="indices">
              <a href="#indices">{t("indicators.indices")}</a>
            </li>
          ) : null}
        </ul>
      </div>
      {matching.length === 0 ? <p>{t("indicators.nothing")}</p> : null}
      {objectives.map(({ objective, title }) => (
        <Objective key={objective} id={objective} title={title} meta={meta} indicators={matching.filter((indicator) => indicator.objective === objective)} filtered={text !== ""} />
      ))}
      {others.length ? <Objective id="" title={t("indicators.others")} meta={meta} indicators={others} filtered={text !== ""} /> : null}
      {meta.indices.length && !text ? <Indices meta={meta} /> : null}
    </>
  );
}

const hasData = ({ newest }: IndicatorMeta): boolean => Object.keys(newest).length > 0;

const folded = new WeakMap<IndicatorMeta, string>();

/** The folded text that a filter looks into. */
function searched(indicator: IndicatorMeta): string {
  let text = folded.get(indicator);
  if (text === undefined) folded.set(indicator, (text = fold(`${indicator.title} ${indicator.indicator} ${indicator.unit}`)));
  return text;
}

interface ObjectiveProps {
  id: string;
  title: string;
  meta: Meta;
  indicators: IndicatorMeta[];
  filtered: boolean;
}

function Objective({ id, title, meta, indicators, filtered }: ObjectiveProps) {
  const withData = indicators.filter(hasData);
  const without = indicators.filter((indicator) => !hasData(indicator));
  const topics = meta.topics.map((topic) => ({ ...topic, members: withData.filter((indicator) => indicator.topic === topic.topic) })).filter(({ members }) => members.length > 0);
  const rest = withData.filter((indicator) => !topics.some(({ topic }) => topic === indicator.topic));
  return (
    <Section id={id || undefined} title={title} aside={id}>
      {topics.map(({ topic, title: name, members }) => (
        <Topic key={topic} title={name} meta={meta} indicators={members} />
      ))}
      {rest.length ? <Topic title={topics.length ? t("indicators.others") : title} meta={meta} indicators={rest} /> : null}
      {without.length ? (
        <div class="topic">
          <Disclosure key={String(filtered)} open={filtered} summary={t("indicators.without_data", { n: without.length })}>
            {() => (
              <ul class="wanted">
                {without.map(({ indicator, title: name, needed, supplier }) => (
                  <li key={indicator} id={indicator}>
                    <a href={address("indicator", { indicator })}>{name}</a>
                    <span class="small">
                      {needed} {supplier ? t("indicators.supplier", { supplier }) : ""}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </Disclosure>
        </div>
      ) : null}
    </Section>
  );
}

interface TopicProps {
  title: string;
  meta: Meta;
  indicators: IndicatorMeta[];
}

/** So many rows of a topic are made at once: a page with thousands of them takes seconds to lay out. The others follow when they are asked for. */
const MOST_ROWS = 200;

function Topic({ title, meta, indicators }: TopicProps) {
  const more = indicators.slice(MOST_ROWS);
  return (
    <div class="topic">
      <h3>{title}</h3>
      <IndicatorTable title={title} meta={meta} indicators={indicators.slice(0, MOST_ROWS)} />
      {more.length ? <Disclosure summary={t("place.more", { n: more.length })}>{() => <IndicatorTable title={title} meta={meta} indicators={more} />}</Disclosure> : null}
    </div>
  );
}

function IndicatorTable({ title, meta, indicators }: TopicProps) {
  return (
    <table role="table" class="data indicator-table" aria-label={title}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">{t("indicators.indicator")}</th>
          <th role="columnheader" scope="col">{t("indicators.unit")}</th>
          <th role="columnheader" scope="col">{t("indicators.newest")}</th>
          <th role="columnheader" scope="col">{t("indicators.levels")}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {indicators.map((indicator) => {
          const levels = meta.levels.filter(({ level }) => indicator.newest[level]);
          const newest = Object.values(indicator.newest).reduce((a, b) => (a > b ? a : b));
          return (
            <tr role="row" key={indicator.indicator}>
              <th role="rowheader" scope="row">
                <a href={address("indicator", { indicator: indicator.indicator })}>{indicator.title}</a>
              </th>
              <td role="cell">{indicator.unit}</td>
              <td role="cell">
                {format.period(newest)}
                {format.isOlder(newest, meta.released) ? <span class="note"> · {t("common.older")}</span> : null}
              </td>
              <td role="cell">{range(meta, levels)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Levels in words; three or more that follow each other as a range. */
function range(meta: Meta, levels: Level[]): string {
  const first = meta.levels.indexOf(levels[0]!);
  const follow = levels.every((level, position) => meta.levels[first + position] === level);
  if (follow && levels.length > 2) return t("indicators.range", { from: levelName(levels[0]!), to: levelName(levels.at(-1)!) });
  return format.list(levels.map(levelName));
}

function Indices({ meta }: { meta: Meta }) {
  return (
    <Section id="indices" title={t("indicators.indices")}>
      {meta.indices.map(({ index, title, note, level, rankable, periods, components }) => {
        const levelMeta = meta.levels.find((entry) => entry.level === level);
        const facts = [levelMeta ? capital(levelName(levelMeta)) : level, periods.map(format.period).join(", "), format.list(components.map((part) => part.title)), t(rankable ? "indicators.ranks" : "indicators.fifths")];
        return (
          <div key={index} class="topic">
            <h3>{title}</h3>
            <p class="small">{facts.filter(Boolean).join(" · ")}</p>
            <p>{note}</p>
          </div>
        );
      })}
    </Section>
  );
}

import { useEffect, useMemo, useRef } from "preact/hooks";
import { CompareCard } from "../charts/CompareCard";
import { Areas } from "../core/areas";
import { type Chosen, type Comparison, compare, hasGroup } from "../core/comparison";
import { csvFile } from "../core/csv";
import { type IndicatorMeta, type Localized, type Meta, type Places, load, loadPlaces } from "../core/data";
import { list, number } from "../core/format";
import { refuse } from "../core/loading";
import { save } from "../core/picture";
import { address, useLoaded, useQuery } from "../core/state";
import { t } from "../core/texts";
import { topicsWithData } from "../core/topics";
import type { PageProps } from "../main";
import { ChartActions } from "../parts/ChartActions";
import { Disclosure } from "../parts/Disclosure";
import { NotLoaded } from "../parts/Failure";
import { Search } from "../parts/Search";
import { Section } from "../parts/Section";
import { Share } from "../parts/Share";
import { Chips } from "./compare/Chips";
import { GroupChoice } from "./compare/GroupChoice";
import { GroupExample, GroupTable } from "./compare/GroupWords";
import { ValuesTable } from "./compare/ValuesTable";
import { selectionCsv, sourceLine } from "./compare/export";
import { MOST_PLACES, type Selection, loadChosen, selectionOf } from "./compare/selection";

/** `compare.html?areas=A,B,C&group=D,E,F&name=NAME&topic=TOPIC`: up to six places and a group of places, in the indicators of a topic. */
export function Compare({ meta }: PageProps) {
  const places = useLoaded("places", loadPlaces);
  useEffect(() => {
    document.title = `${t("compare.title")} – ${meta.title}`;
  }, []);
  if (places.value) return <Chooser meta={meta} places={places.value} />;
  return (
    <>
      <h1 class="compare-title">{t("compare.title")}</h1>
      {places.error ? <NotLoaded /> : <p class="lead">{t("common.loading")}</p>}
    </>
  );
}

function Chooser({ meta, places }: { meta: Meta; places: Places }) {
  const [query, change] = useQuery();
  const areas = useMemo(() => new Areas(meta, places), [meta, places]);
  const selection = selectionOf(query);
  const codes = [...new Set([...selection.places, ...selection.members])];
  const loaded = useLoaded(codes.length ? codes.join() : null, () => loadChosen(codes, areas));
  const nothing = loaded.value !== undefined && loaded.value.chosen.size === 0;
  useEffect(() => {
    if (nothing) refuse();
  }, [nothing]);
  const put = (codes: string[]) => {
    change({ areas: codes.join(",") || null });
    if (codes.length === MOST_PLACES) setTimeout(() => document.querySelector<HTMLElement>(".compare-choices .full")?.focus());
  };
  const topics = topicsWithData(meta);
  const topic = topics.find((candidate) => candidate.topic === query["topic"]) ?? topics[0];
  return (
    <>
      <h1 class="compare-title">{t("compare.title")}</h1>
      <p class="lead">{t("compare.lead", { n: MOST_PLACES })}</p>
      <Chips label={t("compare.chosen")} codes={selection.places} areas={areas} onRemove={(code) => put(selection.places.filter((other) => other !== code))} />
      <p role="status" class="unseen">
        {t("compare.count", { n: selection.places.length })}
      </p>
      <div class="compare-choices not-printed">
        {selection.places.length < MOST_PLACES ? (
          <Search
            meta={meta}
            label={t("compare.add")}
            kinds="places"
            compact
            accepts={({ code }) => !selection.places.includes(code)}
            onChoose={({ code }) => put([...selection.places, code])}
          />
        ) : (
          <p class="note full" tabIndex={-1}>
            {t("compare.full", { n: MOST_PLACES })}
          </p>
        )}
        {topic && codes.length > 0 ? (
          <div class="topic-choice">
            <label for="topic">{t("compare.topic")}</label>
            <select id="topic" value={topic.topic} onChange={(event) => change({ topic: event.currentTarget.value })}>
              {topics.map((entry) => (
                <option key={entry.topic} value={entry.topic}>
                  {entry.title}
                </option>
              ))}
            </select>
          </div>
        ) : null}
        {codes.length > 0 ? <GroupChoice meta={meta} areas={areas} selection={selection} change={change} /> : null}
      </div>
      {codes.length === 0 ? <Example areas={areas} places={places} /> : null}
      {topic && codes.length > 0 ? (
        <>
          {loaded.error ? <NotLoaded /> : null}
          {loaded.value ? (
            <Results meta={{ ...meta, country: sharedCountry([...loaded.value.chosen.values()], areas) }} areas={areas} selection={selection} chosen={loaded.value.chosen} title={topic.title} topic={topic.topic} ids={topic.indicators} />
          ) : null}
        </>
      ) : null}
    </>
  );
}

/** The country of all places. Without a name if they lie in several: then there is nothing that all are compared with. */
function sharedCountry(places: Chosen[], areas: Areas): Meta["country"] {
  const countries = places.map(({ area }) => areas.country(area));
  return countries.find(({ area }) => countries.every((other) => other.area === area)) ?? { area: null, code: "", name: "" };
}

/** Where nothing is chosen yet: a comparison of the places with the most inhabitants to begin with. */
function Example({ areas, places }: { areas: Areas; places: Places }) {
  const largest = useMemo(() => {
    const order = places.population.map((_, position) => position).sort((a, b) => (places.population[b] ?? 0) - (places.population[a] ?? 0));
    return order.slice(0, 4).map((position) => areas.finest.first + position);
  }, [places]);
  return (
    <p>
      {t("compare.empty")} <a href={address("compare", { areas: largest.map((area) => areas.code(area)).join(",") })}>{list(largest.map((area) => areas.name(area)))}</a>
    </p>
  );
}

/** So many indicators of a topic are drawn at once: hundreds of cards take seconds. The others, and the table of all, follow when they are asked for. */
const MOST_CARDS = 60;

interface ResultsProps {
  meta: Meta;
  areas: Areas;
  selection: Selection;
  chosen: Map<string, Chosen>;
  topic: string;
  title: string;
  ids: string[];
}

function Results({ meta, areas, selection, chosen, topic, title, ids }: ResultsProps) {
  const cards = useRef<HTMLDivElement>(null);
  const pick = (codes: string[]) => codes.map((code) => chosen.get(code)).filter((place) => place !== undefined);
  const shown = pick(selection.places);
  const members = selection.kind === "own" ? pick(selection.members) : selection.kind === "chosen" && shown.length > 1 ? shown : null;
  const incomplete = selection.kind === "own" && members!.length < selection.members.length;
  const mayOverlap = new Set(members?.map(({ level }) => level)).size > 1;
  const group = members && members.length > 0 && !incomplete && !mayOverlap ? members : null;
  const name = group ? (selection.kind === "own" && selection.name) || t("compare.group") : null;
  const key = [...shown.map(({ code }) => code), "|", ...(group ?? []).map(({ code }) => code), topic].join();
  const all = useMemo(() => {
    const byId = new Map(meta.indicators.map((indicator) => [indicator.indicator, indicator]));
    const indicators = ids.map((id) => byId.get(id)).filter((indicator) => indicator !== undefined);
    return indicators.sort((a, b) => Number(b.display === "headline") - Number(a.display === "headline")).map((indicator) => ({ indicator, comparison: compare(indicator, shown, group, meta.country.name !== "") }));
  }, [key, chosen]);
  const comparisons = all.map(({ comparison }) => comparison).filter((comparison) => comparison !== null);
  const drawn = comparisons.filter(({ rows, group: sums }) => rows.some(({ value }) => value !== null) || hasGroup(sums));
  const isDrawn = new Set(drawn);
  const without = all.filter(({ comparison }) => !comparison || !isDrawn.has(comparison)).map(({ indicator }) => indicator);
  const card = (comparison: Comparison) => <CompareCard key={comparison.indicator.indicator} meta={meta} comparison={comparison} group={name ?? ""} />;
  const noted = drawn.some(({ rows }) => rows.some(({ note, value }) => note && value === null));
  const notes = useLoaded(noted ? "notes" : null, () => load<{ notes: Record<string, Localized> }>("api/v1/indicators.json"));
  useEffect(() => {
    const names = [...shown.map((place) => place.name), ...(selection.kind === "own" && name ? [name] : [])];
    document.title = `${names.length ? `${list(names)} – ` : ""}${t("compare.title")} – ${meta.title}`;
  }, [key, name]);
  if (shown.length === 0 && !group) return null;
  return (
    <>
      <Key meta={meta} first={shown[0]?.name ?? null} others={shown.length > 1} group={name} population={group ? populationOf(group, areas) : null} />
      {incomplete ? <p class="aside-note">{t("compare.group_unknown")}</p> : null}
      {mayOverlap ? <p class="small">{t("compare.group_levels")}</p> : null}
      {name ? <GroupExample comparisons={drawn} /> : null}
      <Section title={title} aside={t("compare.indicators", { n: drawn.length })}>
        <div class="compare-cards" ref={cards}>
          {drawn.slice(0, MOST_CARDS).map(card)}
        </div>
        {drawn.length > MOST_CARDS ? (
          <Disclosure summary={t("place.more", { n: drawn.length - MOST_CARDS })}>{() => <div class="compare-cards">{drawn.slice(MOST_CARDS).map(card)}</div>}</Disclosure>
        ) : null}
        {drawn.length > 0 ? (
          <ChartActions
            figure={cards}
            title={[title, list([...shown.map((place) => place.name), ...(name ? [name] : [])])].join(": ")}
            source={sourceLine(drawn.map(({ indicator }) => indicator), meta)}
            name={`${meta.pack}-${topic}`}
          />
        ) : null}
        {drawn.length === 0 ? <p>{t("compare.nothing")}</p> : null}
        <Without indicators={without} />
      </Section>
      {drawn.length > 0 ? (
        <Section title={t("compare.table")} aside={t("compare.table_aside")}>
          <Disclosure summary={t("compare.table_summary")} open={drawn.length <= MOST_CARDS}>
            {() => <ValuesTable meta={meta} comparisons={drawn} group={name} notes={notes.value?.notes ?? {}} />}
          </Disclosure>
          {name ? (
            <Disclosure summary={t("compare.group_summary")}>
              {() => (
                <>
                  <p class="small">{t("compare.group_method")}</p>
                  <GroupTable comparisons={drawn} />
                </>
              )}
            </Disclosure>
          ) : null}
          <div class="actions">
            <button type="button" class="button" onClick={() => save(csvFile(selectionCsv(drawn, meta, name ?? "")), `${meta.pack}-${topic}.csv`)}>
              {t("compare.download")}
            </button>
            <Share title={document.title} />
          </div>
        </Section>
      ) : null}
    </>
  );
}

function populationOf(group: Chosen[], areas: Areas): number | null {
  const numbers = group.map(({ area }) => areas.population(area));
  return numbers.some((part) => part === null) ? null : numbers.reduce<number>((sum, part) => sum + part!, 0);
}

/** What the marks of the cards mean. */
function Key({ meta, first, others, group, population }: { meta: Meta; first: string | null; others: boolean; group: string | null; population: number | null }) {
  const mark = (content: preact.ComponentChildren, text: preact.ComponentChildren) => (
    <li>
      <svg width="30" height="20" aria-hidden="true" focusable="false">
        {content}
      </svg>
      <span>{text}</span>
    </li>
  );
  const dot = (
    <>
      <line class="range" x1="2" x2="28" y1="10" y2="10" />
      <circle cx="15" cy="10" r="4.5" />
    </>
  );
  const people = population === null ? "" : `, ${t("search.inhabitants", { n: population, number: number(population) })}`;
  return (
    <ul class="compare-key" aria-label={t("compare.key")}>
      {first ? mark(<g class="here">{dot}</g>, t("compare.key_first", { name: first })) : null}
      {others ? mark(dot, t("compare.key_others")) : null}
      {group ? mark(<line class="square" x1="15" x2="15" y1="10" y2="10" />, `${t("compare.key_group", { name: group })}${people}`) : null}
      {meta.country.name ? mark(<line class="country" x1="15" x2="15" y1="1" y2="19" />, meta.country.name) : null}
    </ul>
  );
}

/** The indicators of the topic of which no chosen place has a value, and what it would take. */
function Without({ indicators }: { indicators: IndicatorMeta[] }) {
  if (indicators.length === 0) return null;
  return (
    <Disclosure summary={t("compare.without", { n: indicators.length })}>
      {() => (
        <ul class="small">
          {indicators.map(({ indicator, title, supplier, newest }) => (
            <li key={indicator}>
              <a href={address("indicator", { indicator })}>{title}</a>
              {": "}
              {Object.keys(newest).length > 0 ? t("compare.without_here") : supplier ? t("compare.without_source_from", { supplier }) : t("compare.without_source")}
            </li>
          ))}
        </ul>
      )}
    </Disclosure>
  );
}


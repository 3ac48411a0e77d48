import { useEffect, useMemo } from "preact/hooks";
import { type Pairing, STATISTICS, type Statistic, dispersionsOf, loadCohesion, pairingsOf, usualPairing } from "../core/cohesion";
import type { IndicatorMeta, Meta } from "../core/data";
import { capital, levelName } from "../core/levels";
import { refuse } from "../core/loading";
import { useLoaded, useQuery } from "../core/state";
import { t } from "../core/texts";
import type { PageProps } from "../main";
import { NotLoaded } from "../parts/Failure";
import { Closing } from "./cohesion/Closing";
import { Files } from "./cohesion/Files";
import { Meanings } from "./cohesion/Meanings";
import { OverTime } from "./cohesion/OverTime";
import { Territories } from "./cohesion/Territories";
import { TerritoryTable } from "./cohesion/TerritoryTable";

/** `cohesion.html?indicator=ID&level=LEVEL&of=LEVEL&statistic=ID&area=CODE`: where an indicator differs most inside territories, and whether that closes. */
export function Cohesion({ meta, areas }: PageProps) {
  const [query, change] = useQuery();
  const indicators = useMemo(() => meta.indicators.filter(({ indicator }) => meta.cohesion.indicators.includes(indicator)), [meta]);
  const requested = query["indicator"];
  const wanted = requested || meta.cohesion.usual;
  const indicator = indicators.find((entry) => entry.indicator === wanted);
  const file = useLoaded(indicator?.indicator ?? null, () => loadCohesion(indicator!.indicator));
  const current = file.value?.indicator === indicator?.indicator ? file.value : undefined;
  const pairings = useMemo(() => (current ? pairingsOf(current, meta) : []), [current]);
  const pairing = pairings.find(({ level, of }) => level.level === query["level"] && (!query["of"] || of.level === query["of"])) ?? usualPairing(pairings);
  const dispersions = useMemo(() => (current && pairing ? dispersionsOf(current, pairing) : []), [current, pairing]);
  const statistics = STATISTICS.filter((name) => dispersions.some(({ statistics: values }) => values[name]?.some((value) => value !== null)));
  const statistic = statistics.find((name) => name === query["statistic"]) ?? statistics[0];
  const part = query["part"];
  const only = (name: string) => !part || part === name;
  const isUnknown = Boolean(requested && !indicator);
  useEffect(() => {
    if (isUnknown) refuse();
  }, [isUnknown]);
  useEffect(() => {
    document.title = `${indicator ? `${indicator.title} – ` : ""}${t("cohesion.title")} – ${meta.title}`;
  }, [indicator]);
  return (
    <>
      <h1 class="compare-title">{t("cohesion.title")}</h1>
      {part ? null : <p class="lead">{t("cohesion.lead")}</p>}
      <div class="cohesion-choices not-printed">
        <IndicatorChoice meta={meta} indicators={indicators} chosen={indicator} onChoose={(id) => change({ indicator: id, area: null })} />
        {pairing ? <PairingChoice pairings={pairings} chosen={pairing} onChoose={({ level, of }) => change({ level: level.level, of: of.level, area: null })} /> : null}
        {statistic ? <StatisticChoice statistics={statistics} chosen={statistic} onChoose={(name) => change({ statistic: name })} /> : null}
      </div>
      {file.error ? <NotLoaded /> : null}
      {isUnknown ? <p class="aside-note">{t("cohesion.unknown", { indicator: requested ?? "" })}</p> : null}
      {indicator && !current && !file.error ? <p>{t("common.loading")}</p> : null}
      {indicator && current && pairing && statistic ? (
        <>
          {only("map") ? (
            <Territories
              meta={meta}
              areas={areas}
              file={current}
              indicator={indicator}
              pairing={pairing}
              dispersions={dispersions}
              statistic={statistic}
              chosen={query["area"] ?? null}
              onChoose={(area) => change({ area }, true)}
            />
          ) : null}
          {only("time") ? <OverTime meta={meta} areas={areas} file={current} indicator={indicator} pairing={pairing} dispersions={dispersions} chosen={query["area"] ?? null} /> : null}
          {part ? null : (
            <>
              <Closing meta={meta} areas={areas} file={current} indicator={indicator} pairing={pairing} />
              <TerritoryTable areas={areas} meta={meta} file={current} indicator={indicator} pairing={pairing} dispersions={dispersions} />
              <Meanings hasChance={statistics.includes("sd_left")} />
              <Files indicator={indicator} />
            </>
          )}
        </>
      ) : null}
      {indicator && current && (!pairing || !statistic) ? <p class="aside-note">{t("cohesion.nothing")}</p> : null}
    </>
  );
}

interface IndicatorChoiceProps {
  meta: Meta;
  indicators: IndicatorMeta[];
  chosen: IndicatorMeta | undefined;
  onChoose: (id: string) => void;
}

function IndicatorChoice({ meta, indicators, chosen, onChoose }: IndicatorChoiceProps) {
  const placed = new Set<string>();
  const byId = new Map(indicators.map((indicator) => [indicator.indicator, indicator]));
  const groups = meta.topics
    .map(({ topic, title, indicators: ids }) => {
      const members = ids.map((id) => byId.get(id)).filter((indicator) => indicator !== undefined && !placed.has(indicator.indicator)) as IndicatorMeta[];
      for (const { indicator } of members) placed.add(indicator);
      return { topic, title, members };
    })
    .filter(({ members }) => members.length > 0);
  const rest = indicators.filter(({ indicator }) => !placed.has(indicator));
  const options = (members: IndicatorMeta[]) =>
    members.map(({ indicator, title }) => (
      <option key={indicator} value={indicator}>
        {title}
      </option>
    ));
  return (
    <label class="choice">
      <span>{t("cohesion.indicator")}</span>
      <select value={chosen?.indicator ?? ""} onChange={(event) => onChoose(event.currentTarget.value)}>
        {chosen ? null : <option value="">–</option>}
        {groups.map(({ topic, title, members }) => (
          <optgroup key={topic} label={title}>
            {options(members)}
          </optgroup>
        ))}
        {rest.length > 0 && groups.length > 0 ? <optgroup label={t("common.other_topics")}>{options(rest)}</optgroup> : options(rest)}
      </select>
    </label>
  );
}

function PairingChoice({ pairings, chosen, onChoose }: { pairings: Pairing[]; chosen: Pairing; onChoose: (pairing: Pairing) => void }) {
  return (
    <label class="choice">
      <span>{t("cohesion.territories")}</span>
      <select value={String(pairings.indexOf(chosen))} onChange={(event) => onChoose(pairings[Number(event.currentTarget.value)]!)}>
        {pairings.map(({ level, of }, at) => (
          <option key={at} value={String(at)}>
            {t("cohesion.pairing", { level: capital(levelName(level)), of: levelName(of) })}
          </option>
        ))}
      </select>
    </label>
  );
}

function StatisticChoice({ statistics, chosen, onChoose }: { statistics: Statistic[]; chosen: Statistic; onChoose: (name: string) => void }) {
  return (
    <label class="choice">
      <span>{t("cohesion.statistic")}</span>
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        {statistics.map((name) => (
          <option key={name} value={name}>
            {capital(t(`cohesion.name_${name}`))}
          </option>
        ))}
      </select>
    </label>
  );
}

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Areas } from "../core/areas";
import { type Meta, loadBundle, findPlace, loadPeers, loadWithin, loadWithinMore } from "../core/data";
import { awaited } from "../core/loading";
import { address, useLoaded, useQuery } from "../core/state";
import { t } from "../core/texts";
import type { PageProps } from "../main";
import { Failure } from "../parts/Failure";
import { Section } from "../parts/Section";
import { Files } from "../place/Files";
import { Head } from "../place/Head";
import { Indices } from "../place/Indices";
import { Key } from "../place/Key";
import { Missing } from "../place/Missing";
import { ObjectiveTable } from "../place/ObjectiveTable";
import { type Place, type PlaceFiles, type Row, isEmpty, placeOf, withMore } from "../place/model";
import { StandsOut } from "../place/StandsOut";
import { standsOut } from "../sentences/standsOut";
import { PlaceList } from "./PlaceList";

/** `place.html?area=CODE`: what is known about one area. */
export function PlacePage(props: PageProps) {
  const [query] = useQuery();
  const code = query["area"];
  return code ? <OnePlace key={code} code={code} {...props} /> : <PlaceList {...props} />;
}

interface PlaceAndFiles {
  place: Place;
  files: PlaceFiles;
}

/** Load what is known about the area with a code. Null if the release has no such area. */
async function find(code: string, meta: Meta, coarse: Areas): Promise<PlaceAndFiles | null> {
  const number = coarse.find(code);
  const located = number === null ? await findPlace(meta, code) : { area: number, bundle: coarse.bundle(number), hasPeers: false };
  if (!located) return null;
  const { area, bundle: name, hasPeers } = located;
  const [bundle, within, similar] = await Promise.all([
    loadBundle(name),
    loadWithin(name.replace(/-\d+$/, "")).catch(() => null),
    hasPeers ? loadPeers(name).catch(() => null) : null,
  ]);
  const peers = similar ?? (bundle.peers.some((peers) => peers.length > 0) ? await loadPeers(name).catch(() => null) : null);
  const files = { bundle, within, peers };
  const place = placeOf(meta, files, area);
  return place && { place, files };
}

function OnePlace({ code, meta, areas }: PageProps & { code: string }) {
  const { value: loaded, error } = useLoaded(code, () =>
    awaited(find(code, meta, areas)).then((shown) => shown ?? Promise.reject(new UnknownArea(code))),
  );
  useEffect(() => {
    if (loaded) document.title = `${loaded.place.name} – ${meta.title}`;
  }, [loaded]);
  if (error instanceof UnknownArea) {
    return (
      <div class="page-head">
        <h1>{t("place.unknown")}</h1>
        <p class="lead">{t("place.unknown_code", { code })}</p>
        <p>
          <a href={address("place")}>{t("place.all")}</a>
        </p>
      </div>
    );
  }
  if (error) return <Failure />;
  if (!loaded) return <p class="page-loading small">{t("common.loading")}</p>;
  return <Shown {...loaded} areas={areas} meta={meta} />;
}

class UnknownArea extends Error {}

function Shown({ place: first, areas, files, meta: whole }: PlaceAndFiles & { areas: Areas; meta: Meta }) {
  const meta = useMemo(() => ({ ...whole, country: areas.country(first.parent ?? first.area) }), [whole, first]);
  const sentences = useMemo(() => standsOut(first.rows, meta.released), [first]);
  const [isOpened, setIsOpened] = useState(false);
  const more = useLoaded(isOpened ? first.bundle : null, () => loadWithinMore(first.bundle.replace(/-\d+$/, "")));
  const place = useMemo(() => (more.value ? withMore(first, more.value) : first), [first, more.value]);
  const [requested, setRequested] = useState(location.hash.slice(1));
  useEffect(() => {
    const listen = () => setRequested(location.hash.slice(1));
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  useEffect(() => {
    if (requested) document.getElementById(requested)?.scrollIntoView();
  }, [requested]);
  return (
    <>
      <Head place={place} areas={areas} meta={whole} within={files.within} />
      <StandsOut sentences={sentences} place={place} areas={areas} meta={meta} onShow={setRequested} />
      {place.rows.some((row) => row.series.some(({ value }) => value !== null)) ? null : <p>{t("place.no_values")}</p>}
      <Key place={place} areas={areas} meta={meta} />
      {meta.objectives.map(({ objective, title }) => (
        <Objective key={objective} objective={objective} title={title} place={place} areas={areas} meta={meta} requested={requested} onOpened={setIsOpened} />
      ))}
      <Indices place={place} meta={meta} />
      <Missing place={place} meta={meta} />
      <Files place={place} meta={meta} />
    </>
  );
}

interface ObjectiveProps {
  objective: string;
  title: string;
  place: Place;
  areas: Areas;
  meta: Meta;
  /** The indicator whose row was asked for. */
  requested: string;
  /** Told when the rest was opened. */
  onOpened: (isOpened: true) => void;
}

/** The indicators of an objective: headlines, and the rest where the reader opens it. */
function Objective({ objective, title, place, areas, meta, requested, onOpened }: ObjectiveProps) {
  const all = place.rows.filter((row) => row.about.objective === objective);
  const rows = isEmpty(place) ? all.filter((row) => row.series.some(({ value }) => value !== null)) : all;
  if (rows.length === 0) return null;
  const headlines = rows.filter((row) => row.about.display === "headline");
  const isAlone = !place.rows.some((row) => row.about.display === "headline");
  const others = rows.filter((row) => row.about.display !== "headline");
  const withData = rows.filter((row) => row.value !== null).length;
  const without = meta.indicators.filter((about) => about.objective === objective).length - withData;
  const table = (shownRows: Row[], label: string) => <ObjectiveTable label={label} rows={shownRows} place={place} areas={areas} meta={meta} />;
  return (
    <Section title={title} aside={t("place.objective_aside", { objective, n: withData, without })} id={objective} class={headlines.length ? "place-objective" : "place-objective not-printed"}>
      {headlines.length ? table(headlines, t("place.table", { title, name: place.name })) : null}
      {others.length ? (
        <Others isRequested={(isAlone && withData > 0) || others.some((row) => row.about.indicator === requested)} onOpened={onOpened} summary={headlines.length ? t("place.more", { n: others.length }) : t("place.only_more", { n: others.length })}>
          {() => table(isAlone ? [...others].sort((a, b) => Number(b.value !== null) - Number(a.value !== null)) : others, t("place.table_more", { title, name: place.name }))}
        </Others>
      ) : null}
    </Section>
  );
}

/** A closed part that opens itself when one of its rows is asked for. */
function Others({ isRequested, summary, onOpened, children }: Pick<ObjectiveProps, "onOpened"> & { isRequested: boolean; summary: string; children: () => preact.ComponentChildren }) {
  const [open, setOpen] = useState(isRequested);
  const [seen, setSeen] = useState(isRequested);
  useEffect(() => {
    if (isRequested) {
      setOpen(true);
      setSeen(true);
    }
  }, [isRequested]);
  useEffect(() => {
    if (seen) onOpened(true);
  }, [seen]);
  const toggled = (event: Event) => {
    const now = (event.currentTarget as HTMLDetailsElement).open;
    setOpen(now);
    if (now) setSeen(true);
  };
  return (
    <details open={open} onToggle={toggled}>
      <summary>{summary}</summary>
      {seen ? children() : null}
    </details>
  );
}

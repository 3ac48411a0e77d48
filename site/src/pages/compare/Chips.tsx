import { useRef } from "preact/hooks";
import type { Areas } from "../../core/areas";
import { number } from "../../core/format";
import { address } from "../../core/state";
import { t } from "../../core/texts";
import { whereabouts } from "./selection";

interface Props {
  label: string;
  codes: string[];
  areas: Areas;
  onRemove: (code: string) => void;
}

/** The chosen areas, each with what tells it apart and a button that removes it. */
export function Chips({ label, codes, areas, onRemove }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const remove = (code: string, at: number) => {
    const parent = list.current?.parentElement;
    onRemove(code);
    // The focus was on a button that is gone: it moves to the next one, else to the field that adds places.
    setTimeout(() => {
      const buttons = list.current?.querySelectorAll("button") ?? [];
      (buttons[Math.min(at, buttons.length - 1)] ?? parent?.querySelector("input"))?.focus();
    });
  };
  return (
    <ul class="chips" aria-label={label} ref={list}>
      {codes.map((code, at) => {
        const area = areas.find(code);
        const name = area === null ? code : areas.name(area);
        return (
          <li key={code}>
            <span class="chip">
              {area === null ? name : <a href={address("place", { area: code })}>{name}</a>}
              <span class="note">{area === null ? t("compare.unknown") : describe(area, areas)}</span>
            </span>
            <button type="button" class="not-printed" aria-label={t("compare.remove", { name })} onClick={() => remove(code, at)}>
              <span aria-hidden="true">×</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function describe(area: number, areas: Areas): string {
  const population = areas.population(area);
  const where = whereabouts(area, areas);
  return population === null ? where : `${where}, ${t("search.inhabitants", { n: population, number: number(population) })}`;
}

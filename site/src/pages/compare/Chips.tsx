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
  return (
    <ul class="chips" aria-label={label}>
      {codes.map((code) => {
        const area = areas.find(code);
        const name = area === null ? code : areas.name(area);
        return (
          <li key={code}>
            {area === null ? name : <a href={address("place", { area: code })}>{name}</a>}
            <span class="note">{area === null ? t("compare.unknown") : describe(area, areas)}</span>
            <button type="button" aria-label={t("compare.remove", { name })} onClick={() => onRemove(code)}>
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

import { number } from "../core/format";

export interface LegendEntry {
  /** The class of the swatch: `fill-1` to `fill-5`, `fill-lower`, `fill-similar`, `fill-higher`, `fill-missing`, `fill-missing-2`. */
  swatch: string;
  text: string;
  /** How many areas have this class. */
  count?: number;
  /** A reason or a name after the count. */
  note?: string;
}

/** The legend of a map: a swatch, the class in words, and the number of its areas. */
export function Legend({ entries }: { entries: LegendEntry[] }) {
  return (
    <ul class="legend">
      {entries.map(({ swatch, text, count, note }) => (
        <li key={text}>
          <i class={swatch} aria-hidden="true" />
          <span>
            <b>{text}</b>
            {count === undefined ? "" : ` · ${number(count)}`}
            {note ? ` (${note})` : ""}
          </span>
        </li>
      ))}
    </ul>
  );
}

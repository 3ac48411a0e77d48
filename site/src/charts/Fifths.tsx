import { type Value, isNumber } from "../core/data";
import { t } from "../core/texts";

interface Props {
  /** 1 (the best) to 5, or null. */
  fifth: Value;
  /** The best and the worst fifth that other ways of computing give. */
  from?: Value;
  to?: Value;
}

/** Five cells: the fifth of an area, and hatched those that it could have as well. The same in words below. */
export function Fifths({ fifth, from, to }: Props) {
  const reached = (cell: number) => isNumber(from) && isNumber(to) && cell >= from && cell <= to;
  return (
    <div class="fifths">
      <ol aria-hidden="true">
        {[1, 2, 3, 4, 5].map((cell) => (
          <li key={cell} class={cell === fifth ? "chosen" : reached(cell) ? "reached" : undefined}>
            {t(`place.fifth_${cell}`)}
          </li>
        ))}
      </ol>
      <span class="note">{fifthInWords(fifth, from, to)}</span>
    </div>
  );
}

/** "3rd fifth; 2nd to 4th by other ways of computing". */
export function fifthInWords(fifth: Value, from?: Value, to?: Value): string {
  if (fifth === null) return t("place.fifth_none");
  const nth = (number: number) => t(`place.fifth_${number}`);
  const text = t("place.fifth", { nth: nth(fifth) });
  if (!isNumber(from) || !isNumber(to)) return text;
  return from === to ? t("place.fifth_always", { fifth: text }) : t("place.fifth_between", { fifth: text, from: nth(from), to: nth(to) });
}

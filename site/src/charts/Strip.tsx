import { type Value, isNumber } from "../core/data";
import { number, shortUnit, withUnit } from "../core/format";
import { t } from "../core/texts";
import { type RoundAxis, stripAxis } from "./axis";

export interface StripProps {
  value: Value;
  lower?: Value;
  upper?: Value;
  /** The values of the other areas with the same area above: ticks. */
  others: Value[];
  /** The values of similar places: dots. */
  peers: Value[];
  country: Value | undefined;
  women?: Value;
  men?: Value;
  unit: string;
}

const EDGE = 1.5;
const BASE = 22;

/** Where an area lies among the areas around it, similar places and the country. Hidden from assistive technology: say the same in words beside it. */
export function Strip({ value, lower, upper, others, peers, country, women, men, unit }: StripProps) {
  const axis = stripAxis([value, lower, upper, country, women, men, ...peers], others, !peers.some(isNumber));
  if (!axis) return null;
  const at = (number: number) => EDGE + ((100 - 2 * EDGE) * (number - axis.low)) / (axis.high - axis.low);
  const x = (number: number) => `${at(number).toFixed(2)}%`;
  const inside = others.filter((other): other is number => other !== null && other >= axis.low && other <= axis.high);
  const below = others.filter((other) => other !== null && other < axis.low).length;
  const above = others.filter((other) => other !== null && other > axis.high).length;
  const pair = isNumber(women) && isNumber(men);
  const labels = pair ? 60 : 44;
  return (
    <svg class="strip" width="100%" height={pair ? 64 : 48} aria-hidden="true" focusable="false">
      <line class="axis" x1={`${EDGE}%`} x2={`${100 - EDGE}%`} y1={BASE} y2={BASE} />
      {axis.low < 0 && axis.high > 0 ? <line class="zero" x1={x(0)} x2={x(0)} y1="4" y2="34" /> : null}
      <svg x="0" y={BASE - 14} width="100%" height="14" viewBox="0 0 1000 14" preserveAspectRatio="none">
        <path class="ticks" d={[...inside].sort((a, b) => a - b).map((other) => `M${Math.round(at(other) * 10)} 0V14`).join("")} />
      </svg>
      <svg x="0" y={BASE} width="100%" height="14" viewBox="0 0 1000 14" preserveAspectRatio="none">
        <path class="peers" d={peers.filter(isNumber).map((peer) => `M${Math.round(at(peer) * 10)} 7h0`).join("")} />
      </svg>
      {isNumber(country) ? <line class="country" x1={x(country)} x2={x(country)} y1="3" y2="34" /> : null}
      {isNumber(lower) && isNumber(upper) ? <line class="range" x1={x(lower)} x2={x(upper)} y1={BASE} y2={BASE} /> : null}
      {isNumber(value) ? <circle class="here" cx={x(value)} cy={BASE} r="6" /> : null}
      {pair ? <Pair women={women} men={men} x={x} /> : null}
      <text x={`${EDGE}%`} y={labels}>
        {end(axis, axis.low, unit)}
        {below ? ` ‹ ${t("place.beyond", { n: below })}` : ""}
      </text>
      <text x={`${100 - EDGE}%`} y={labels} text-anchor="end">
        {above ? `${t("place.beyond", { n: above })} › ` : ""}
        {end(axis, axis.high, unit)}
      </text>
    </svg>
  );
}

const end = (axis: RoundAxis, value: number, unit: string): string => withUnit(number(value, value === 0 ? 0 : axis.decimals), shortUnit(unit));

function Pair({ women, men, x }: { women: number; men: number; x: (value: number) => string }) {
  const womenRight = women >= men;
  const letter = (value: number, right: boolean, text: string) => (
    <text x={x(value)} dx={right ? 9 : -9} y="46" text-anchor={right ? "start" : "end"}>
      {text}
    </text>
  );
  return (
    <>
      <line class="pair" x1={x(women)} x2={x(men)} y1="42" y2="42" />
      <circle class="women" cx={x(women)} cy="42" r="4.5" />
      <circle class="men" cx={x(men)} cy="42" r="4" />
      {letter(women, womenRight, t("common.women_letter"))}
      {letter(men, !womenRight, t("common.men_letter"))}
    </>
  );
}

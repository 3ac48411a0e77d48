import type { Value } from "../core/data";
import { number, period as periodText } from "../core/format";
import { t } from "../core/texts";
import { gaps, runs, time } from "../core/time";
import { along, axisOf, spread } from "./scale";
import { useWidth } from "./useWidth";

export interface LinePoint {
  value: Value;
  status: string;
  lower?: Value;
  upper?: Value;
}

export interface Line {
  name: string;
  /** How it is drawn: the country, an area between, the chosen place, women and men, or a computed line. */
  kind: "country" | "area" | "here" | "women" | "men" | "dashed";
  points: LinePoint[];
}

interface Props {
  periods: string[];
  /** At most three or four, labelled at their ends. */
  lines: Line[];
  /** All areas of a level as thin lines without names. */
  others?: Value[][];
  /** Positions of the periods before which the series is broken. */
  breaks?: number[];
  /** When it was broken, where that is known: periods by these positions. */
  breakPeriods?: Record<number, string[]>;
  decimals: number | null;
  /** The axis begins at zero. */
  zero?: boolean;
  height?: number;
  /** Two or three facts, for those who do not see the picture. */
  summary: string;
}

const TOP = 24;
const BOTTOM = 26;
const GAP = 17;
const OPEN = "EIP";

/** Named lines over time. Breaks, missing values and missing periods are never joined; a provisional value is an open mark. */
export function Lines({ periods, lines, others = [], breaks = [], breakPeriods = {}, decimals, zero = false, height = 260, summary }: Props) {
  const [element, width] = useWidth<HTMLDivElement>();
  const few = periods.length <= 6;
  const cuts = [...breaks, ...gaps(periods)];
  const labels = lines.map(({ name, points }) => {
    const at = points.reduce((last, { value }, position) => (value === null || value === undefined ? last : position), -1);
    return { at, text: at < 0 ? "" : `${name} ${number(points[at]!.value, decimals)}` };
  });
  const right = Math.min(Math.max(...labels.map(({ text }) => widthOf(text))) + 16, width * 0.45);
  const axis = axisOf([...lines.flatMap(({ points }) => points.flatMap(({ value, lower, upper }) => [value, lower, upper])), ...others.flat()], 4, zero);
  const left = Math.max(...axis.marks.map((mark) => widthOf(number(mark, axis.decimals)))) + 12;
  const times = periods.map(time);
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1];
  const inner = width - left - right;
  const x = (at: number) => left + (last === first ? 0.5 : (times[at]! - first) / (last - first)) * inner;
  const y = (value: number) => TOP + (1 - along(value, axis)) * (height - TOP - BOTTOM);
  const breakAt = (at: number) => {
    const [before, after] = [times[at - 1]!, times[at]!];
    const broken = breakPeriods[at]?.[0];
    const moment = broken && after - before > 1 ? Math.min(Math.max(time(broken) - 0.5, before + (after - before) / 8), after - (after - before) / 8) : (before + after) / 2;
    return left + ((moment - first) / (last - first)) * inner;
  };
  const path = (values: Value[]) => runs(values, cuts).filter((run) => run.length > 1).map((run) => `M${run.map((at) => `${x(at).toFixed(1)},${y(values[at]!).toFixed(1)}`).join("L")}`).join("");
  const ends = spread(labels.map(({ at }, line) => (at < 0 ? 0 : y(lines[line]!.points[at]!.value!) + 4)), GAP, TOP, height - BOTTOM + 4);
  const marked = periods.map((_, at) => at).filter((at) => shownPeriods(periods, breaks, inner, x).includes(at));
  return (
    <div ref={element} class="lines">
      <svg width={width} height={height} role="img" aria-label={summary}>
        {axis.marks.map((mark) => (
          <g key={mark}>
            <line class="grid" x1={left} x2={left + inner} y1={y(mark)} y2={y(mark)} />
            <text x={left - 10} y={y(mark) + 4} text-anchor="end">
              {mark === 0 ? "0" : number(mark, axis.decimals)}
            </text>
          </g>
        ))}
        {marked.map((at) => (
          <text key={at} x={x(at)} y={height - 4} text-anchor="middle">
            {periodText(periods[at]!)}
          </text>
        ))}
        {breaks.filter((at) => at > 0 && at < periods.length).map((at, number, all) => {
          const middle = breakAt(at);
          const crowded = number > 0 && middle - breakAt(all[number - 1]!) < 80;
          return (
            <g key={at}>
              <line class="break" x1={middle} x2={middle} y1={TOP - 8} y2={height - BOTTOM} />
              <text x={middle + (crowded ? 5 : -5)} y={TOP - 10} text-anchor={crowded ? "start" : "end"}>
                {t("indicator.break_at", { period: (breakPeriods[at] ?? [periods[at]!]).map(periodText).join(", ") })}
              </text>
            </g>
          );
        })}
        <path class="other-lines" d={others.map(path).join("")} />
        {lines.map(({ kind, points }, at) => (
          <path key={`band${at}`} class={few ? `line-whisker ${kind}` : `line-band ${kind}`} d={few ? whiskers(points, x, y) : band(points, cuts, x, y)} />
        ))}
        {lines.map(({ kind, points }, at) => {
          const values = points.map(({ value }) => value);
          const provisional = points.map(({ status }, position) => position > 0 && status === "P");
          const solid = values.map((value, position) => (provisional[position] ? null : value));
          return (
            <g key={at} class={`line ${kind}`}>
              <path d={path(solid)} />
              {provisional.map((is, position) => is && values[position - 1] !== null && !cuts.includes(position) && values[position] !== null
                ? <path key={position} class="provisional" d={`M${x(position - 1)},${y(values[position - 1]!)}L${x(position)},${y(values[position]!)}`} />
                : null)}
              {points.map(({ value, status }, position) =>
                value === null || value === undefined || !(few || position === labels[at]!.at || OPEN.includes(status) || kind === "women" || kind === "men" || alone(values, position, cuts)) ? null : (
                  <circle key={position} class={kind === "men" || OPEN.includes(status) ? "open" : undefined} cx={x(position)} cy={y(value)} r="3" />
                ),
              )}
            </g>
          );
        })}
        {labels.map(({ at, text }, line) =>
          at < 0 ? null : (
            <text key={line} class={`line-name ${lines[line]!.kind}`} x={x(periods.length - 1) + 10} y={ends[line]}>
              {text}
            </text>
          ),
        )}
      </svg>
    </div>
  );
}

let measure: CanvasRenderingContext2D | null = null;

/** The width of a name in the letters of charts. */
function widthOf(text: string): number {
  measure ??= document.createElement("canvas").getContext("2d");
  if (!measure) return text.length * 7;
  measure.font = `650 12px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

/** Intervals of a few periods as lines across the points. */
const whiskers = (points: LinePoint[], x: (at: number) => number, y: (value: number) => number): string =>
  points.map(({ lower, upper }, at) => (lower === null || lower === undefined || upper === null || upper === undefined ? "" : `M${x(at).toFixed(1)},${y(lower).toFixed(1)}V${y(upper).toFixed(1)}`)).join("");

const alone = (values: Value[], at: number, cuts: number[]): boolean => runs(values, cuts).some((run) => run.length === 1 && run[0] === at);

function band(points: LinePoint[], cuts: number[], x: (at: number) => number, y: (value: number) => number): string {
  const has = points.map(({ lower, upper }) => (lower === null || lower === undefined || upper === null || upper === undefined ? null : 1));
  return runs(has, cuts)
    .map((run) => {
      const wide = run.length === 1 ? [[x(run[0]!) - 2, run[0]!], [x(run[0]!) + 2, run[0]!]] : run.map((at) => [x(at), at]);
      const over = wide.map(([left, at]) => `${left!.toFixed(1)},${y(points[at!]!.upper!).toFixed(1)}`);
      const under = wide.map(([left, at]) => `${left!.toFixed(1)},${y(points[at!]!.lower!).toFixed(1)}`).reverse();
      return `M${[...over, ...under].join("L")}Z`;
    })
    .join("");
}

/** Periods named below the axis: the ends, those beside breaks, and others as they fit. */
function shownPeriods(periods: string[], breaks: number[], width: number, x: (at: number) => number): number[] {
  const room = Math.max(...periods.map((text) => periodText(text).length)) * 7 + 16;
  const candidates = [periods.length - 1, 0, ...breaks.map((at) => at - 1), ...breaks];
  const step = Math.max(1, Math.ceil(periods.length / Math.max(1, Math.floor(width / room))));
  for (let at = 0; at < periods.length; at += step) candidates.push(at);
  const shown: number[] = [];
  for (const at of candidates) if (at >= 0 && at < periods.length && shown.every((other) => Math.abs(x(other) - x(at)) >= room)) shown.push(at);
  return shown;
}

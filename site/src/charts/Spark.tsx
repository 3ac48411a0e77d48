import { type Value, isNumber } from "../core/data";
import { gaps, runs, time } from "../core/time";

export interface SparkPoint {
  period: string;
  value: Value;
  /** The status of the value: `B` is a break before it, `P` provisional, `E` and `I` estimated and imputed. */
  status: string;
  lower?: Value;
  upper?: Value;
}

const WIDTH = 132;
const HEIGHT = 40;
const MOST_WITH_WHISKERS = 5;

/** A small series on its own scale. The line is never joined across a break, a missing value or missing periods. Hidden from assistive technology: say in words what it shows. */
export function Spark({ points }: { points: SparkPoint[] }) {
  const shown = points.filter((point) => point.value !== null);
  if (shown.length < 2) return null;
  const whiskers = shown.length <= MOST_WITH_WHISKERS;
  const ends = shown.flatMap((point) => (whiskers ? [point.value, point.lower ?? point.value, point.upper ?? point.value] : [point.value])) as number[];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const [first, last] = [time(shown[0]!.period), time(shown.at(-1)!.period)];
  const x = (period: string) => 5 + ((WIDTH - 12) * (time(period) - first)) / (last - first || 1);
  const y = (value: number) => (high > low ? HEIGHT - 6 - ((HEIGHT - 12) * (value - low)) / (high - low) : HEIGHT / 2);
  const steps = points.slice(1).map((point, position) => ({ from: points[position]!, to: point }));
  const broken = points.flatMap(({ status }, at) => (status === "B" ? [at] : []));
  const joined = runs(points.map(({ value }) => value), [...broken, ...gaps(points.map(({ period }) => period))]);
  const alone = new Set(joined.filter((run) => run.length === 1).map(([at]) => points[at!]));
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
      {steps
        .filter(({ from, to }) => to.status === "B" && time(from.period) >= first)
        .map(({ from, to }) => (
          <line key={to.period} class="break" x1={(x(from.period) + x(to.period)) / 2} x2={(x(from.period) + x(to.period)) / 2} y1="1" y2={HEIGHT - 1} />
        ))}
      {whiskers
        ? shown.map(({ period, lower, upper, status }) =>
            isNumber(lower) && isNumber(upper) ? (
              <line key={period} class={`whisker${isOpen(status) ? " unsure" : ""}`} x1={x(period)} x2={x(period)} y1={y(lower)} y2={y(upper)} />
            ) : null,
          )
        : null}
      {pieces(points, joined).map(({ points: line, dashed }) => (
        <polyline key={line[0]!.period + dashed} class={dashed ? "dashed" : undefined} points={line.map((point) => `${x(point.period).toFixed(1)},${y(point.value!).toFixed(1)}`).join(" ")} />
      ))}
      {shown.slice(0, -1).map((point) => {
        const { period, value, status } = point;
        return whiskers || isOpen(status) || alone.has(point) ? (
          <circle key={period} class={isOpen(status) ? "open" : "point"} cx={x(period)} cy={y(value!)} r="2.5" />
        ) : null;
      })}
      <circle class={isOpen(shown.at(-1)!.status) ? "here open" : "here"} cx={x(shown.at(-1)!.period)} cy={y(shown.at(-1)!.value!)} r="3.5" />
    </svg>
  );
}

const isOpen = (status: string): boolean => ["P", "E", "I"].includes(status);

/** The pieces of the line between points that may be joined; dashed ones lead to a provisional value. */
function pieces(points: SparkPoint[], joined: number[][]): { points: SparkPoint[]; dashed: boolean }[] {
  const segments: { points: SparkPoint[]; dashed: boolean }[] = [];
  for (const run of joined) {
    run.slice(1).forEach((at, position) => {
      const dashed = points[at]!.status === "P";
      const last = segments.at(-1);
      if (position > 0 && last!.dashed === dashed) last!.points.push(points[at]!);
      else segments.push({ points: [points[at - 1]!, points[at]!], dashed });
    });
  }
  return segments;
}

import { ticks } from "d3-array";
import type { SizeClass, Value } from "../core/data";
import { number } from "../core/format";
import { decimalsOf } from "./axis";
import { along } from "./scale";
import { useWidth } from "./useWidth";

interface Props {
  /** The ends of the bins; one more than counts. The outer bins hold what lies beyond. */
  edges: number[];
  classes: SizeClass[];
  /** The heading of a class. */
  title: (size: SizeClass) => string;
  /** Number, median and middle of a class in words. */
  words: (size: SizeClass) => string;
  country: Value;
  unit: string;
}

const HEIGHT = 92;

/** Histograms by size with the same bins and axis; each is scaled to its own highest bin. */
export function Distribution(props: Props) {
  return (
    <div class="distribution">
      {props.classes.map((size) => (
        <div key={size.from}>
          <h3>{props.title(size)}</h3>
          <p class="note">{props.words(size)}</p>
          <Histogram size={size} {...props} />
        </div>
      ))}
    </div>
  );
}

function Histogram({ size, edges, country, unit, title, words }: Props & { size: SizeClass }) {
  const [element, width] = useWidth<HTMLDivElement>(260);
  const axis = { from: edges[0]!, to: edges.at(-1)! };
  const x = (value: number) => along(value, axis) * width;
  const most = Math.max(1, ...size.counts);
  const marks = ticks(axis.from, axis.to, width < 320 ? 3 : 5);
  const decimals = decimalsOf((marks[1] ?? 1) - (marks[0] ?? 0));
  const shown = number(Math.max(...marks), decimals).length > 6 ? marks.filter((_, at) => at % 2 === 0) : marks;
  const bars = size.counts.map((count, at) => {
    const [left, right, height] = [x(edges[at]!) + 0.5, x(edges[at + 1]!) - 0.5, (count / most) * (HEIGHT - 24)];
    return count > 0 ? `M${left.toFixed(1)},${HEIGHT - 18}V${(HEIGHT - 18 - Math.max(height, 1)).toFixed(1)}H${right.toFixed(1)}V${HEIGHT - 18}Z` : "";
  });
  return (
    <div ref={element}>
      <svg width={width} height={HEIGHT} role="img" aria-label={`${title(size)}: ${words(size)}`}>
        <path class="bars" d={bars.join("")} />
        <line class="axis" x1="0" x2={width} y1={HEIGHT - 17.5} y2={HEIGHT - 17.5} />
        {country === null ? null : <line class="reference" x1={x(country)} x2={x(country)} y1="0" y2={HEIGHT - 18} />}
        {shown.map((mark, at) => (
          <text key={mark} x={x(mark)} y={HEIGHT - 3} text-anchor={x(mark) < 12 ? "start" : x(mark) > width - 24 ? "end" : "middle"}>
            {number(mark, decimals)}
            {unit && at === shown.length - 1 ? unit : ""}
          </text>
        ))}
      </svg>
    </div>
  );
}

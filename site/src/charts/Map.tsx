import { useId, useMemo, useRef, useState } from "preact/hooks";
import type { Point, Shapes } from "../core/geometry";

export interface MapLabel {
  code: string;
  text: string;
  /** The chosen area: with a dot and in its colour. */
  here?: boolean;
}

interface Props {
  shapes: Shapes;
  /** The swatch of an area (`fill-1` to `fill-5`, `fill-lower`, `fill-missing`, ...); areas with the same one are drawn together. Empty: not drawn. */
  fill: (code: string) => string;
  /** What the map shows, in a sentence with two or three facts. */
  summary: string;
  labels?: MapLabel[];
  chosen?: string | null;
  /** What is said of an area under the pointer. The same must stand elsewhere on the page. */
  describe?: (code: string) => string;
  onChoose?: (code: string) => void;
}

/** More areas than these have thinner borders. */
const DENSE = 1500;
const HATCHES: Record<string, number> = { "fill-missing": -45, "fill-missing-2": 45 };

/** One map: areas in classes, borders of the level above, and the names of a few areas. Its text keeps its size. */
export function Map({ shapes, fill, summary, labels = [], chosen, describe, onChoose }: Props) {
  const id = useId().replace(/\W/g, "");
  const find = useHit(shapes);
  const [under, setUnder] = useState<string | null>(null);
  const layers = useMemo(() => {
    const byFill: Record<string, string> = {};
    for (const [code, path] of shapes.paths) {
      const swatch = fill(code);
      if (swatch) byFill[swatch] = (byFill[swatch] ?? "") + path;
    }
    return Object.entries(byFill).sort(([a], [b]) => (a < b ? -1 : 1));
  }, [shapes, fill]);
  const { width, height } = shapes;
  const text = under && describe ? describe(under) : "";
  const centre = under ? shapes.centres.get(under) : undefined;
  const place = ([x, y]: Point) => ({ x: `${(100 * x) / width}%`, y: `${(100 * y) / height}%` });
  const locate = (event: PointerEvent | MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return find(((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height);
  };
  return (
    <div class="map">
      <svg
        role="img"
        aria-label={summary}
        class={`map-picture${onChoose ? " choosable" : ""}${shapes.paths.size > DENSE ? " dense" : ""}`}
        style={{ aspectRatio: `${width} / ${height}` }}
        onPointerMove={describe ? (event) => setUnder(locate(event)) : undefined}
        onPointerLeave={() => setUnder(null)}
        onClick={onChoose ? (event) => ((code) => code && onChoose(code))(locate(event)) : undefined}
      >
        <defs>
          {Object.entries(HATCHES).map(([name, angle]) => (
            <pattern key={name} id={`${id}-${name}`} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform={`rotate(${angle})`}>
              <rect class="hatch-ground" width="5" height="5" />
              <line class="hatch-line" x1="0" y1="0" x2="0" y2="5" />
            </pattern>
          ))}
        </defs>
        <svg viewBox={`0 0 ${width} ${height}`} width="100%" height="100%">
          {layers.map(([swatch, path]) => (
            <path key={swatch} class={`area ${swatch}`} d={path} fill={swatch in HATCHES ? `url(#${id}-${swatch})` : undefined} fill-rule={shapes.points ? "nonzero" : "evenodd"} />
          ))}
          <path class="map-border" d={shapes.borders + shapes.outline} />
          {under && shapes.paths.has(under) ? <path class="map-under" d={shapes.paths.get(under)} /> : null}
          {chosen && shapes.paths.has(chosen) ? <path class="map-here" d={shapes.paths.get(chosen)} /> : null}
        </svg>
        {placed(labels, shapes).map(({ code, text: name, here, at, anchor, shift }) => (
          <g key={code} class={here ? "map-label here" : "map-label"}>
            <circle cx={place(at).x} cy={place(at).y} r={here ? 3.5 : 2} />
            <text x={place(at).x} y={place(at).y} dy={shift} text-anchor={anchor}>
              {name}
            </text>
          </g>
        ))}
      </svg>
      {text && centre ? (
        <div class="map-tip" aria-hidden="true" style={{ left: `${Math.min(Math.max((100 * centre[0]) / width, 20), 80)}%`, top: `${(100 * centre[1]) / height}%` }}>
          {text}
        </div>
      ) : null}
    </div>
  );
}

type Placed = MapLabel & { at: Point; anchor: "start" | "middle" | "end"; shift: number };

const ABOVE = -7;
const BELOW = 16;
const LETTER = 6.8;
const LINE = 15;

/** Labels above their points, or below them where they would leave the map or cover another label. The chosen area is placed first. */
function placed(labels: MapLabel[], { centres, width, height }: Shapes): Placed[] {
  const boxes: [number, number, number, number][] = [];
  const positioned: Placed[] = [];
  for (const label of [...labels].sort((a, b) => Number(b.here ?? false) - Number(a.here ?? false))) {
    const at = centres.get(label.code);
    if (!at) continue;
    const anchor = at[0] < width * 0.2 ? "start" : at[0] > width * 0.8 ? "end" : "middle";
    const length = label.text.length * LETTER;
    const left = at[0] - (anchor === "start" ? 0 : anchor === "end" ? length : length / 2);
    const free = (shift: number) => {
      const [top, bottom] = [at[1] + shift - LINE + 3, at[1] + shift + 3];
      return top > -8 && bottom < height + 8 && boxes.every(([x0, y0, x1, y1]) => left > x1 || left + length < x0 || top > y1 || bottom < y0);
    };
    const shift = [ABOVE, BELOW, ABOVE - LINE, BELOW + LINE].find(free) ?? ABOVE;
    boxes.push([left, at[1] + shift - LINE + 3, left + length, at[1] + shift + 3]);
    positioned.push({ ...label, at, anchor, shift });
  }
  return positioned;
}

/** The area at a point of the view box, or null. */
function useHit(shapes: Shapes): (x: number, y: number) => string | null {
  const cached = useRef<{ of: Shapes; paths: Record<string, Path2D>; context: CanvasRenderingContext2D | null } | null>(null);
  return (x, y) => {
    if (cached.current?.of !== shapes) cached.current = { of: shapes, paths: {}, context: document.createElement("canvas").getContext("2d") };
    const { paths, context } = cached.current;
    for (const [code, [left, top, right, bottom]] of shapes.boxes) {
      if (x < left || x > right || y < top || y > bottom) continue;
      const path = (paths[code] ??= new Path2D(shapes.paths.get(code)));
      if (context?.isPointInPath(path, x, y, "evenodd")) return code;
    }
    return null;
  };
}

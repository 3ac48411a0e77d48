// Boundaries of areas as paths of a plane map. Equal areas stay equal: a conic projection with parallels from the extent of the data.
import { geoConicEqualAreaRaw } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, GeometryObject, Topology } from "topojson-specification";
import { load } from "./data";

export type Point = [number, number];

/** What a map draws. Coordinates are those of a view box of `width` by `height`. */
export interface Shapes {
  width: number;
  height: number;
  /** Path data by the code of the area. */
  paths: Map<string, string>;
  /** A point inside the largest part of each area. */
  centres: Map<string, Point>;
  /** The smallest box around each area: left, top, right, bottom. */
  boxes: Map<string, [number, number, number, number]>;
  /** The borders between areas whose areas above differ. */
  borders: string;
  /** The outer border. */
  outline: string;
  /** Who the boundaries are from. */
  attribution: string;
  /** Whether the areas are points, because there are no boundaries. */
  points: boolean;
  /** Where a longitude and a latitude lie. */
  place: (longitude: number, latitude: number) => Point;
}

const WIDTH = 570;
const HEIGHT = 430;
const MARGIN = 4;
const RADIANS = Math.PI / 180;

type Place = (longitude: number, latitude: number) => Point;

/** The projection of an extent (west, south, east, north in degrees) to a view box, and its height. */
function plane(points: Iterable<Point>): { place: Place; height: number } {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const all = [...points];
  for (const [x, y] of all) [west, south, east, north] = [Math.min(west, x), Math.min(south, y), Math.max(east, x), Math.max(north, y)];
  const middle = (west + east) / 2;
  const span = north - south;
  const raw = geoConicEqualAreaRaw((south + span / 6) * RADIANS, (north - span / 6) * RADIANS);
  const project: Place = (x, y) => {
    const [px, py] = raw((x - middle) * RADIANS, y * RADIANS);
    return [px, -py];
  };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const point of all) {
    const [x, y] = project(...point);
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  const scale = Math.min((WIDTH - 2 * MARGIN) / (right - left || 1e-6), (HEIGHT - 2 * MARGIN) / (bottom - top || 1e-6));
  const shift = (WIDTH - scale * (right - left)) / 2;
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    place: (longitude, latitude) => {
      const [x, y] = project(longitude, latitude);
      return [round(shift + scale * (x - left)), round(MARGIN + scale * (y - top))];
    },
    height: Math.ceil(scale * (bottom - top) + 2 * MARGIN),
  };
}

/** The arcs of a topology in degrees. */
function degrees({ arcs, transform }: Topology): Point[][] {
  const [kx, ky] = transform?.scale ?? [1, 1];
  const [dx, dy] = transform?.translate ?? [0, 0];
  return arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map((position) => {
      if (!transform) return [position[0]!, position[1]!];
      x += position[0]!;
      y += position[1]!;
      return [x * kx! + dx!, y * ky! + dy!];
    });
  });
}

/** Points that fall on their neighbour are left out; an arc keeps its two ends. */
function thinned(arc: Point[]): Point[] {
  return arc.filter((point, at) => at === 0 || at === arc.length - 1 || point[0] !== arc[at - 1]![0] || point[1] !== arc[at - 1]![1]);
}

const line = (points: number[][]): string => `M${points.map((point) => `${point[0]},${point[1]}`).join("L")}`;

function ringsOf(geometry: GeoJSON.Geometry | null): number[][][][] {
  if (geometry?.type === "Polygon") return [geometry.coordinates];
  return geometry?.type === "MultiPolygon" ? geometry.coordinates : [];
}

function size(ring: number[][]): number {
  let sum = 0;
  ring.forEach((point, at) => {
    const next = ring[(at + 1) % ring.length]!;
    sum += point[0]! * next[1]! - next[0]! * point[1]!;
  });
  return Math.abs(sum / 2);
}

/** A point inside a polygon: the middle of its widest part at the height of the middle of its box. */
function inside(polygon: number[][][]): Point {
  const heights = polygon[0]!.map((point) => point[1]!);
  const y = (Math.min(...heights) + Math.max(...heights)) / 2 + 0.013;
  const crossings: number[] = [];
  for (const ring of polygon) {
    ring.forEach(([ax, ay], at) => {
      const [bx, by] = ring[(at + 1) % ring.length]!;
      if (ay! > y !== by! > y) crossings.push(ax! + ((y - ay!) / (by! - ay!)) * (bx! - ax!));
    });
  }
  crossings.sort((a, b) => a - b);
  let best: Point = [polygon[0]![0]![0]!, y];
  let width = -1;
  for (let at = 0; at + 1 < crossings.length; at += 2) {
    const [from, to] = [crossings[at]!, crossings[at + 1]!];
    if (to - from > width) [width, best] = [to - from, [(from + to) / 2, y]];
  }
  return best;
}

function boxOf(polygons: number[][][][]): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [outer] of polygons) {
    for (const [x, y] of outer!) {
      box[0] = Math.min(box[0], x!);
      box[1] = Math.min(box[1], y!);
      box[2] = Math.max(box[2], x!);
      box[3] = Math.max(box[3], y!);
    }
  }
  return box;
}

/** The shapes of a topology. `above` gives what stands for the area above an area; borders are drawn where it differs. */
export function shapesOf(topology: Topology, above: (code: string) => unknown = () => null): Shapes {
  const arcs = degrees(topology);
  const { place, height } = plane(arcs.flat());
  const planar: Topology = { type: "Topology", objects: topology.objects, arcs: arcs.map((arc) => thinned(arc.map((point) => place(...point)))) };
  const object = Object.values(planar.objects)[0] as GeometryCollection;
  const shapes: Shapes = {
    width: WIDTH,
    height,
    paths: new Map(),
    centres: new Map(),
    boxes: new Map(),
    borders: "",
    outline: "",
    attribution: attributionOf(topology),
    points: false,
    place,
  };
  for (const geometry of object.geometries) {
    const code = String(geometry.id);
    const shape = feature(planar, geometry);
    const polygons = shape.type === "Feature" ? ringsOf(shape.geometry) : [];
    if (polygons.length === 0) continue;
    shapes.paths.set(code, polygons.map((rings) => rings.map((ring) => `${line(ring.slice(0, -1))}Z`).join("")).join(""));
    shapes.centres.set(code, inside(polygons.reduce((a, b) => (size(b[0]!) > size(a[0]!) ? b : a))));
    shapes.boxes.set(code, boxOf(polygons));
  }
  const key = ({ id }: GeometryObject) => above(String(id));
  const draw = (filter: (a: GeometryObject, b: GeometryObject) => boolean) => mesh(planar, object, filter).coordinates.map(line).join("");
  shapes.borders = draw((a, b) => a !== b && key(a) !== key(b));
  shapes.outline = draw((a, b) => a === b);
  return shapes;
}

function attributionOf(topology: Topology): string {
  const sources = (topology as { attribution?: { publisher?: string; citation?: string; licence?: string }[] }).attribution;
  return Array.isArray(sources) ? sources.map(({ citation, publisher, licence }) => `${citation ?? publisher ?? ""} (${licence ?? ""})`).join("; ") : "";
}

/** Circles where there are no boundaries. */
export function pointShapes(points: { code: string; longitude: number; latitude: number }[]): Shapes {
  const shapes: Shapes = { width: WIDTH, height: 0, paths: new Map(), centres: new Map(), boxes: new Map(), borders: "", outline: "", attribution: "", points: true, place: () => [0, 0] };
  if (points.length === 0) return shapes;
  const { place, height } = plane(points.map(({ longitude, latitude }) => [longitude, latitude]));
  shapes.height = Math.max(height, 40);
  const radius = Math.round(Math.max(1.3, Math.min(4, 60 / Math.sqrt(points.length))) * 10) / 10;
  shapes.place = place;
  for (const { code, longitude, latitude } of points) {
    const [x, y] = place(longitude, latitude);
    shapes.paths.set(code, `M${x - radius},${y}a${radius},${radius} 0 1 0 ${2 * radius},0a${radius},${radius} 0 1 0 ${-2 * radius},0Z`);
    shapes.centres.set(code, [x, y]);
    shapes.boxes.set(code, [x - radius, y - radius, x + radius, y + radius]);
  }
  return shapes;
}

const made = new Map<string, Promise<Shapes>>();

/** The shapes of a file of boundaries of the release, such as `geo/okres.topojson`; made once a page. */
export function loadShapes(path: string, above?: (code: string) => unknown): Promise<Shapes> {
  let making = made.get(path);
  if (!making) {
    making = load<Topology>(path).then((topology) => shapesOf(topology, above));
    making.catch(() => made.delete(path));
    made.set(path, making);
  }
  return making;
}

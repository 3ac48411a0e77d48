// A figure of the page as a picture of its own: its drawings and texts as they look now, with a title and a source.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 16;
const KEPT = [
  "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "vector-effect", "paint-order",
  "text-anchor", "font-size", "font-weight", "opacity",
];
const LEFT_OUT = ".not-exported, .unseen, .map-tip, details, button, select, [hidden]";

interface Origin {
  left: number;
  top: number;
}

function make(name: string, attributes: Record<string, string | number>, text?: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A copy of an element of a drawing with its computed style as attributes; null if it is not shown. */
function copied(element: Element): Element | null {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden") return null;
  const copy = element.cloneNode(false) as Element;
  for (const name of ["class", "style", "role", "aria-label", "aria-hidden"]) copy.removeAttribute(name);
  if (!["svg", "g", "defs", "pattern"].includes(element.localName)) for (const name of KEPT) copy.setAttribute(name, style.getPropertyValue(name));
  for (const child of element.childNodes) {
    const childCopy = child instanceof Element ? copied(child) : child.cloneNode();
    if (childCopy) copy.append(childCopy);
  }
  return copy;
}

/** The lines of a text, as they are broken on the page. */
function textLines(node: Text, { left, top }: Origin): SVGElement[] {
  const parent = node.parentElement!;
  const style = getComputedStyle(parent);
  const range = document.createRange();
  const lines: { text: string; x: number; bottom: number; height: number }[] = [];
  for (const word of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].trimEnd().length);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const last = lines.at(-1);
    if (last && Math.abs(last.bottom - box.bottom) < 3) last.text += ` ${word[0].trim()}`;
    else lines.push({ text: word[0].trim(), x: box.left - left, bottom: box.bottom - top, height: box.height });
  }
  return lines.map(({ text, x, bottom, height }) =>
    make("text", { x: x.toFixed(1), y: (bottom - 0.22 * height).toFixed(1), fill: style.color, "font-size": style.fontSize, "font-weight": style.fontWeight }, text),
  );
}

/** A swatch of a legend. */
function swatch(element: Element, { left, top }: Origin): SVGElement[] {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const [x, y, width, height] = [box.left - left, box.top - top, box.width, box.height];
  const ground = style.backgroundImage === "none" ? style.backgroundColor : getComputedStyle(document.body).getPropertyValue("--ground");
  const frame = make("rect", { x, y, width, height, fill: ground, stroke: style.borderTopColor });
  if (style.backgroundImage === "none") return [frame];
  const turned = !element.classList.contains("fill-missing-2");
  const strokes = [0.2, 0.4, 0.6, 0.8, 1].map((share) => {
    const [from, to] = [Math.max(x, x + share * width - height / 2), Math.min(x + width, x + share * width)];
    return turned ? `M${from},${y}L${to},${y + height}` : `M${from},${y + height}L${to},${y}`;
  });
  return [frame, make("path", { d: strokes.join(""), stroke: getComputedStyle(document.body).getPropertyValue("--hatch"), "stroke-width": 1.5, fill: "none" })];
}

function collect(element: Element, origin: Origin, into: SVGElement): void {
  if (element.matches(LEFT_OUT) || getComputedStyle(element).display === "none") return;
  if (element.localName === "svg") {
    const copy = copied(element);
    const box = element.getBoundingClientRect();
    if (!copy) return;
    for (const [name, value] of Object.entries({ x: box.left - origin.left, y: box.top - origin.top, width: box.width, height: box.height })) copy.setAttribute(name, String(value));
    copy.setAttribute("overflow", "visible");
    into.append(copy);
    return;
  }
  if (element.localName === "i") into.append(...swatch(element, origin));
  for (const child of element.childNodes) {
    if (child instanceof Element) collect(child, origin, into);
    else if (child instanceof Text) into.append(...textLines(child, origin));
  }
}

/** The figure as an SVG document. */
export function pictureOf(figure: HTMLElement, title: string, source: string): { svg: string; width: number; height: number } {
  const box = figure.getBoundingClientRect();
  const style = getComputedStyle(document.body);
  const [width, height] = [Math.ceil(box.width) + 2 * MARGIN, Math.ceil(box.height) + 86];
  const root = make("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": style.fontFamily });
  root.append(make("title", {}, title), make("rect", { width, height, fill: style.getPropertyValue("--ground").trim() }));
  root.append(make("text", { x: MARGIN, y: 32, fill: style.color, "font-size": 18, "font-weight": 650 }, title));
  const body = make("g", { transform: `translate(${MARGIN},48)` });
  collect(figure, { left: box.left, top: box.top }, body);
  root.append(body, make("text", { x: MARGIN, y: height - 12, fill: style.getPropertyValue("--ink-2").trim(), "font-size": 11 }, source));
  return { svg: new XMLSerializer().serializeToString(root), width, height };
}

/** An SVG document as a PNG of twice its size. */
export async function pngOf({ svg, width, height }: { svg: string; width: number; height: number }): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * height];
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Let the reader save a file. */
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

"""Draw the pictures that are shown where a page of the site is shared: one for each kind of page, without words, so for every language.

    .venv/bin/python site/share.py

They are made of the marks of the charts in the colours of `src/style/tokens.css`, and belong into `site/share`, from where the build takes
them. Needs Chromium. Draw them anew when colours or marks change, and look at them.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the project need not be installed

from docs import screenshot  # noqa: E402

WIDTH, HEIGHT = 1200, 630
MARGIN = 90
LARGEST = 30_000
"""Bytes of a picture at most."""
STYLE = """
body { margin: 0; background: var(--ground); }
svg { display: block; }
.axis { stroke: var(--rule); stroke-width: 3; } .tick { stroke: var(--tick); stroke-width: 3.5; } .country { stroke: var(--ink); stroke-width: 6; }
.peer { fill: var(--peer); } .here { fill: var(--here); stroke: var(--ground); stroke-width: 5; } .band { stroke: var(--here); opacity: 0.45; }
.line { fill: none; stroke: var(--rule); stroke-width: 4; } .line.here { stroke: var(--here); stroke-width: 9; }
.line.country { stroke: var(--ink); stroke-width: 7; }
.interval { fill: var(--here); opacity: 0.14; shape-rendering: crispEdges; } .whisker { stroke: var(--ink-2); stroke-width: 5; }
.point { fill: var(--ink-2); }
.whisker.here { stroke: var(--here); opacity: 0.7; } .group { fill: var(--ink); } .full { fill: var(--ink); }
.open { fill: var(--ground); stroke: var(--ink-3); stroke-width: 4; }
.c1 { fill: var(--fill-1); } .c2 { fill: var(--fill-2); } .c3 { fill: var(--fill-3); } .c4 { fill: var(--fill-4); } .c5 { fill: var(--fill-5); }
.hatch { stroke: var(--hatch); stroke-width: 4; } .edge { fill: none; stroke: var(--hatch); stroke-width: 3; }
"""

Chance = random.Random
Draw = Callable[[Chance], list[str]]


def line(name: str, x1: float, y1: float, x2: float, y2: float, width: float | None = None) -> str:
    wide = f' stroke-width="{width:g}"' if width else ""
    return f'<line class="{name}" x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"{wide}/>'


def circle(name: str, x: float, y: float, radius: float) -> str:
    return f'<circle class="{name}" cx="{x:.0f}" cy="{y:.0f}" r="{radius:g}"/>'


def rectangle(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"/>'


def path(name: str, points: list[tuple[float, float]], close: bool = False) -> str:
    steps = "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
    return f'<path class="{name}" d="M{steps}{"Z" if close else ""}"/>'


def strip(chance: Chance, y: float, scale: float, here: float, country: float, ticks: int) -> list[str]:
    """Draw the position strip of the site: the district above its axis, similar places below, the country as a line, one place with its interval."""
    start, end = MARGIN, WIDTH - MARGIN
    span = end - start

    def place(middle: float, spread: float) -> float:
        return min(max(chance.gauss(middle, spread), 0.01), 0.99) * span + start

    at = here * span + start
    return [
        *(line("tick", x, y - 70 * scale, x, y) for x in (place(country, 0.2) for _ in range(ticks))),
        line("axis", start, y, end, y),
        *(circle("peer", place((here + country) / 2, 0.14), y + 36 * scale, 13 * scale) for _ in range(10)),
        line("country", country * span + start, y - 96 * scale, country * span + start, y + 64 * scale),
        line("band", at - 120 * scale, y, at + 120 * scale, y, 24 * scale),
        circle("here", at, y, 32 * scale),
    ]


def index(chance: Chance) -> list[str]:
    return strip(chance, HEIGHT / 2 + 20, 1.7, 0.64, 0.44, 70)


def place(chance: Chance) -> list[str]:
    rows = ((0.7, 0.45), (0.32, 0.5), (0.52, 0.4), (0.22, 0.62))
    return [part for number, (here, country) in enumerate(rows) for part in strip(chance, 130 + number * 130, 0.62, here, country, 60)]


def indicator(chance: Chance) -> list[str]:
    start, end, steps = MARGIN, WIDTH - MARGIN, 6
    columns = [start + (end - start) * step / (steps - 1) for step in range(steps)]

    def walk(level: float, slope: float, swing: float) -> list[tuple[float, float]]:
        return [(x, level + slope * step + chance.gauss(0, swing)) for step, x in enumerate(columns)]

    here = walk(470, -50, 10)
    upper, lower = [(x, y - 46) for x, y in here], [(x, y + 46) for x, y in reversed(here)]
    return [
        *(line("axis", start, y, end, y) for y in range(110, 560, 105)),
        *(path("line", walk(chance.uniform(200, 480), chance.uniform(-14, 8), 13)) for _ in range(4)),
        path("interval", upper + lower, close=True),
        path("line country", walk(380, -12, 4)),
        path("line here", here),
        circle("here", *here[-1], 22),
    ]


def compare(chance: Chance) -> list[str]:
    start, end = MARGIN, WIDTH - MARGIN
    rows = [(y, chance.uniform(0.24, 0.76) * (end - start) + start) for y in range(120, 440, 80)]
    elements = [line("axis", start, y, end, y) for y, _ in rows] + [line("axis", start, 500, end, 500), line("country", 585, 70, 585, 560)]
    for number, (y, x) in enumerate(rows):
        reach = chance.uniform(70, 170)
        mark = "here" if number == 0 else "point"
        elements += [
            line("whisker here" if number == 0 else "whisker", x - reach, y, x + reach, y),
            circle(mark, x, y, 24 if number == 0 else 17),
        ]
    return [*elements, line("whisker", 590, 500, 730, 500), rectangle("group", 640, 480, 40, 40)]


def cohesion(chance: Chance) -> list[str]:
    elements = []
    for number in range(8):
        y, spread = 95 + number * 66, 0.235 - number * 0.024
        marks = sorted(min(max(chance.gauss(0.5, spread * 0.7), 0.5 - spread * 2), 0.5 + spread * 2) for _ in range(18))
        xs = [MARGIN + mark * (WIDTH - 2 * MARGIN) for mark in marks]
        elements += [line("whisker here" if number == 0 else "axis", xs[0], y, xs[-1], y)]
        elements += [circle("here" if number == 0 else "peer", x, y, 15 if number == 0 else 10) for x in xs]
    return elements


def measures(chance: Chance) -> list[str]:
    counts = ((10, 16), (3, 9), (14, 16), (0, 4), (11, 11), (5, 8))
    return [
        circle("full" if number < full else "open", 150 + number * 60, 110 + row * 82, 20)
        for row, (full, every) in enumerate(counts)
        for number in range(every)
    ]


def data(chance: Chance) -> list[str]:
    elements = ['<defs><pattern id="hatch" width="14" height="14" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
             '<line class="hatch" x1="0" y1="0" x2="0" y2="14"/></pattern></defs>']  # fmt: skip
    side, gap = 78, 7
    for row in range(6):
        for column in range(12):
            x, y = MARGIN + 5 + column * (side + gap), 62 + row * (side + gap)
            if chance.random() < 0.12:
                elements.append(
                    f'<rect class="edge" fill="url(#hatch)" style="fill:url(#hatch)" x="{x}" y="{y}" width="{side}" height="{side}"/>'
                )
                continue
            level = 1 + min(4, max(0, round(2 + 2 * math.sin(column / 2.6 + row / 1.7) + chance.gauss(0, 0.7))))
            elements.append(rectangle(f"c{level}", x, y, side, side))
    return elements


PICTURES: dict[str, Draw] = {
    "index": index, "place": place, "indicator": indicator, "compare": compare, "cohesion": cohesion, "measures": measures, "data": data,
}  # fmt: skip


def page(kind: str) -> str:
    tokens = (HERE / "src" / "style" / "tokens.css").read_text(encoding="utf-8")
    drawn = "".join(PICTURES[kind](Chance(kind)))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{drawn}</svg>'
    return f'<!doctype html><html data-theme="light"><meta charset="utf-8"><style>{tokens}{STYLE}</style><body>{svg}</body></html>'


def shoot(program: str, folder: Path, kind: str, target: Path) -> None:
    source = folder / f"{kind}.html"
    source.write_text(page(kind), encoding="utf-8")
    screenshot.take(program, source.as_uri(), target, folder / "browser", (WIDTH, HEIGHT), LARGEST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "share", help="a folder (default: %(default)s)")
    parser.add_argument("kinds", nargs="*", default=list(PICTURES), help="kinds of pages (default: all)")
    arguments = parser.parse_args()
    program = screenshot.chromium()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind in arguments.kinds:
            shoot(program, Path(folder), kind, arguments.out.resolve() / f"{kind}.png")


if __name__ == "__main__":
    main()

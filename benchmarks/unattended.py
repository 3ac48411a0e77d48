"""Hours of simulated time without anybody: outages, cut and wrong deliveries, junk, kills, second writers, a clock that jumps.

    python benchmarks/unattended.py --hours 8 --seed 1

A step is ten minutes. The clock is moved, the sensors are called, and nothing waits. After each step the release that stands is verified, and
its numbers are compared with the good deliveries so far; a difference ends the script. Prints what was done, and how often, as Markdown.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tests.support.server import serving  # noqa: E402
from tests.support.unattended import Operation  # noqa: E402

STEPS_PER_HOUR = 6
QUIET = 0.3
"""The share of steps in which nothing happens."""
LONGEST_RUN = 20.0
"""A run that is killed is killed after so many seconds at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=8.0, help="Simulated hours.")
    parser.add_argument("--seed", type=int, default=1, help="The same seed does the same things.")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        operation = Operation(Path(folder), server, options.seed)
        operation.tick()
        done = simulate(operation, random.Random(options.seed), round(options.hours * STEPS_PER_HOUR))
        print(
            f"{options.hours:g} simulated hours in {time.monotonic() - began:.0f} s; {operation.versions()} releases, none of them wrong.\n"
        )
        print(table("what happened", done))
        print(table("alert", Counter(operation.kinds_of_alerts())))


def simulate(operation: Operation, chance: random.Random, steps: int) -> Counter[str]:
    """Do something by chance in each step, and return how often each thing was done."""
    faults = (
        operation.outage, operation.truncate, operation.web_page, operation.rename_column, operation.lose_rows, operation.spoil_numbers,
    )  # fmt: skip
    done: Counter[str] = Counter()
    for _ in range(steps):
        if chance.random() < QUIET:
            done["nothing"] += 1
            operation.tick()
            continue
        if chance.random() < 0.5:
            fault = chance.choice(faults)
            done[fault.__name__] += 1
            fault()
        else:
            operation.change()
            operation.serve()
            done["change"] += 1
        for other in (operation.push, operation.drop, operation.drop_junk):
            if chance.random() < 0.2:
                done[other.__name__] += 1
                other()
        way = chance.choice(("plain", "plain", "kill", "second_writer", "clock"))
        done[way] += way != "plain"
        if way == "kill":
            operation.tick(kill_after=chance.uniform(1, LONGEST_RUN))
        elif way == "second_writer":
            operation.tick(while_busy=True)
        else:
            operation.tick(minutes=chance.choice((-60, 120)) if way == "clock" else 10)
    operation.serve()
    operation.tick(minutes=24 * 60)
    return +done


def table(title: str, counts: Counter[str]) -> str:
    rows = [f"| {name} | {count} |" for name, count in sorted(counts.items())]
    return "\n".join([f"| {title} | times |", "| --- | ---: |", *rows, ""])


if __name__ == "__main__":
    main()

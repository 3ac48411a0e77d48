"""Calls in processes of their own end at their limits, whatever the function does, and share the memory of all of them."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelines.core import isolated

HERE = "tests.unit.test_isolated"
MUCH = 1_000_000_000


def never_ends_its_line(request: dict[str, Any]) -> dict[str, Any]:
    """Begin an answer on the pipe to the parent, and go on for ever without using the CPU."""
    pipes = [fd for fd in range(3, 64) if Path(f"/proc/self/fd/{fd}").exists() and stat.S_ISFIFO(os.fstat(fd).st_mode)]
    while True:
        for pipe in pipes:
            os.write(pipe, b'{"result": ')
        time.sleep(0.2)


def has_much_to_say(request: dict[str, Any]) -> dict[str, Any]:
    return {"text": "x" * 60_000_000}


def ends_its_process(request: dict[str, Any]) -> dict[str, Any]:
    os.abort()


def fails(request: dict[str, Any]) -> dict[str, Any]:
    raise ValueError("\x1b[31m" + "x" * 100_000)


def waits(request: dict[str, Any]) -> dict[str, Any]:
    began = time.time()
    time.sleep(0.5)
    return {"began": began, "ended": time.time()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "how", "limit"),
    [
        ("never_ends_its_line", "stopped after 2 seconds", "seconds"),
        ("has_much_to_say", "stopped at an answer of more than 32 MB", "answer"),
        ("ends_its_process", "ended its process (SIGABRT)", None),
    ],
)
def test_a_call_ends_whatever_the_function_does(task: str, how: str, limit: str | None) -> None:
    isolated.call(f"{HERE}:waits", {}, MUCH, 30)  # a process that has imported what it needs
    with pytest.raises(isolated.Stopped) as raised:
        isolated.call(f"{HERE}:{task}", {}, MUCH, 0.1 if limit == "seconds" else 30)
    assert (str(raised.value), raised.value.limit) == (how, limit)
    answer = isolated.call(f"{HERE}:waits", {}, MUCH, 30)
    assert answer["began"] < answer["ended"]


def test_an_unknown_error_is_one_short_printable_line() -> None:
    with pytest.raises(isolated.Failed) as raised:
        isolated.call(f"{HERE}:fails", {}, MUCH, 30)
    assert str(raised.value).startswith("ValueError")
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000


@pytest.mark.slow
def test_calls_at_a_time_share_the_memory() -> None:
    def call(memory: int) -> dict[str, Any]:
        return isolated.call(f"{HERE}:waits", {}, memory, 30, total=1_000_000_000)

    with ThreadPoolExecutor(3) as pool:
        spans = sorted((answer["began"], answer["ended"]) for answer in pool.map(call, [600_000_000, 600_000_000, 2_000_000_000]))
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), "two of them were together above the total"

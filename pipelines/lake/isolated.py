"""Work on frames in a process of its own: frames go there and back through Arrow files, everything else as JSON."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core import isolated as processes
from pipelines.core.errors import ExitCode, Zpo2Error
from pipelines.core.isolated import MEGABYTE
from pipelines.readers.reading import text_of

MEMORY = 1_500 * MEGABYTE
"""Bytes that the work may use beside the frames that it gets."""

MOST_TEXT = 1_000 * MEGABYTE
"""Bytes of the texts in the frames that come back: pieces that are small each would fill the disk and the memory together."""

Frames = dict[str, pl.DataFrame]


class Unfinished(Zpo2Error):
    """The work was stopped, or ended its process. `limit` is that of processes.Stopped."""

    exit_code = ExitCode.WRONG

    def __init__(self, text: str, limit: str | None = None) -> None:
        super().__init__(text)
        self.limit = limit


class Refused(Exception):
    """The work cannot be done on these frames, for the reason in the message."""


def call(what: str, task: str, frames: Mapping[str, pl.DataFrame], options: Any, seconds: float, folder: Path | None = None) -> Frames:
    """Return the frames that the function `task` (`module:name`) returns for `frames` and `options`; it uses `answer`.

    `what` names the frames in messages. `folder`, or the system's, is for files that exist only meanwhile. `seconds` are of CPU time.
    Raises Refused where the function does, and Unfinished.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as scratch:
        given = {name: str(Path(scratch) / f"given_{i}.arrow") for i, name in enumerate(frames)}
        for name, frame in frames.items():
            frame.write_ipc(given[name], compression="uncompressed")
        request = {"frames": given, "options": options, "folder": scratch}
        try:
            answer = processes.call(task, request, MEMORY, seconds)
        except processes.Stopped as stopped:
            raise Unfinished(f"{what}: {'' if stopped.limit else 'the library '}{stopped}", stopped.limit) from None
        except processes.Failed as failed:
            raise Unfinished(f"{what}: {failed}") from None
        if "refused" in answer:
            raise Refused(answer["refused"])
        return {name: pl.concat([pl.read_ipc(path) for path in paths]) for name, paths in answer["frames"].items()}


def answer(request: dict[str, Any], work: Callable[[Frames, Any], Iterable[Frames]]) -> dict[str, Any]:
    """Do `work` on the frames and options of a request from `call`, and return its answer.

    `work` gives its frames in one or several pieces, so that large ones are never in memory as a whole. It may raise Refused.
    """
    paths: dict[str, list[str]] = {}
    text = 0
    try:
        for number, piece in enumerate(work({name: pl.read_ipc(path) for name, path in request["frames"].items()}, request["options"])):
            for i, (name, frame) in enumerate(piece.items()):
                text += text_of(frame)
                if text > MOST_TEXT:
                    raise Refused(f"the results have more than {MOST_TEXT // MEGABYTE} MB of text")
                path = str(Path(request["folder"]) / f"result_{number}_{i}.arrow")
                frame.write_ipc(path, compression="uncompressed")
                paths.setdefault(name, []).append(path)
    except Refused as refused:
        return {"refused": str(refused)}
    return {"frames": paths}

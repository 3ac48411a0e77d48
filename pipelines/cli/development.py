"""Dagster's UI and daemon together with the receiver of pushed events, to try a pack on this machine. Both end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType

from pipelines.extract.cloudevents.receiver import SECRET
from pipelines.packs.workspace import Workspace

SHUTDOWN_SECONDS = 60.0


def run(workspace: Workspace, host: str, port: int, events_port: int) -> int:
    """Run until one of the processes ends or this one is stopped; return the exit code."""
    environment = {
        **os.environ,
        "ZPO2_PACK": str(workspace.pack.root),
        "ZPO2_HOME": str(workspace.root),
        "DAGSTER_HOME": str(workspace.dagster),
        "PYTHONSAFEPATH": "1",  # a module in the working folder is never imported in place of a library's
    }
    commands = [[sys.executable, "-m", "dagster", "dev", "-m", "pipelines.orchestration.definitions", "-h", host, "-p", str(port)]]
    if os.environ.get(SECRET):
        commands.append([sys.executable, "-m", "pipelines.cli", "serve-events", "--host", host, "--port", str(events_port)])
    else:
        print(f"no pushed events are received: {SECRET} is not set", flush=True)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    # what Dagster writes to its working folder stays in the workspace
    processes = [subprocess.Popen(command, cwd=workspace.dagster, env=environment, start_new_session=True) for command in commands]
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        return next(code for process in processes if (code := process.poll()) is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        _end(processes)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with every process that it has started

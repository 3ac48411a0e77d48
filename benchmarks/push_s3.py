"""What `zpo2 push s3` costs: seconds for a release against common clients that send the same files to the same server.

The server is any S3 store on loopback, such as that of `tests/portals/s3_server.py`. A proxy in front of it delays every request, as a distant
store would. Each client sends the release into an empty folder of the bucket, then once more when nothing is missing. The clients that are
installed take turns: `aws` (package awscli) with its ten connections, and `rclone` with as many as the push.

    python benchmarks/push_s3.py HOME --endpoint http://127.0.0.1:7480 --delay 0 0.05
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.core.workspace import WorkspaceFolder

BUCKET = "benchmark"
JOBS = "10"


@dataclass(frozen=True)
class Server:
    endpoint: str
    key: str
    secret: str


def delayed(endpoint: str, delay: float) -> str:
    """Return the address of a proxy that passes each request on after `delay` seconds."""
    parts = urlsplit(endpoint)
    target = (parts.hostname or "", parts.port or 80)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            upstream = socket.create_connection(target)
            for connection in (client, upstream):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answered = threading.Event()
            answered.set()
            threading.Thread(target=pass_on, args=(client, upstream, answered, delay), daemon=True).start()
            threading.Thread(target=pass_on, args=(upstream, client, answered, 0), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def pass_on(source: socket.socket, target: socket.socket, answered: threading.Event, delay: float) -> None:
    """Pass bytes on. What a client sends first, or after an answer, is the begin of a request and waits."""
    with suppress(OSError):
        while block := source.recv(1 << 18):
            if not delay:
                answered.set()
            elif answered.is_set():
                time.sleep(delay)
                answered.clear()
            target.sendall(block)
    for connection in (source, target):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def clients(home: Path, server: Server, endpoint: str) -> dict[str, Callable[[str], list[str]]]:
    """Return the commands that send the release into a folder of the bucket, by name of the client."""
    public = WorkspaceFolder(home).public
    found: dict[str, Callable[[str], list[str]]] = {
        "zpo2": lambda folder: [
            sys.executable, "-m", "pipelines.cli", "push", "s3", "--home", str(home), "--bucket", BUCKET, "--prefix", folder, "--jobs", JOBS,
            "--endpoint", endpoint, "--access-key-env", "ZPO2_SECRET_S3_ID", "--secret-key-env", "ZPO2_SECRET_S3_KEY",
        ]
    }  # fmt: skip
    if shutil.which("aws"):
        found["aws"] = lambda folder: [
            "aws", "s3", "sync", str(public), f"s3://{BUCKET}/{folder}", "--endpoint-url", endpoint, "--only-show-errors",
        ]  # fmt: skip
    if shutil.which("rclone"):
        found["rclone"] = lambda folder: [
            "rclone", "copy", str(public), f":s3:{BUCKET}/{folder}", "--s3-endpoint", endpoint, "--s3-provider", "Ceph", "--s3-env-auth",
            "--checksum", "--transfers", JOBS, "--checkers", JOBS,
        ]  # fmt: skip
    return found


def seconds(command: list[str], server: Server) -> tuple[float, float]:
    """Return the seconds that a command takes, and those of CPU time, which other work on the machine changes less."""
    keys = {"AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret, "AWS_DEFAULT_REGION": "us-east-1"}
    ours = {"ZPO2_SECRET_S3_ID": server.key, "ZPO2_SECRET_S3_KEY": server.secret}
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    began, used = time.perf_counter(), cpu_seconds()
    done = subprocess.run(command, env={**others, **keys, **ours}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stderr.strip()[-500:]}")
    return time.perf_counter() - began, cpu_seconds() - used


def cpu_seconds() -> float:
    """Return the CPU time of all commands so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(home: Path, server: Server, delay: float, rounds: int) -> None:
    endpoint = delayed(server.endpoint, delay)
    measured: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, command in clients(home, server, endpoint).items():
            folder = uuid.uuid4().hex
            for what in ("everything", "nothing missing"):
                measured.setdefault((name, what), []).append(seconds(command(folder), server))
    for (name, what), values in measured.items():
        wall, cpu = ([value[n] for value in values] for n in range(2))
        print(
            f"| {delay * 1000:.0f} ms | {what} | {name} | {statistics.median(wall):.1f} s | {min(wall):.1f} s | {statistics.median(cpu):.1f} s |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path, help="a workspace with a release")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--delay", type=float, nargs="+", default=[0.0, 0.05], help="seconds before each request")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--key", default="portal-test-id")
    parser.add_argument("--secret", default="portal-test-secret")
    options = parser.parse_args()
    server = Server(options.endpoint, options.key, options.secret)
    import boto3

    boto3.client(
        "s3", endpoint_url=server.endpoint, aws_access_key_id=server.key, aws_secret_access_key=server.secret, region_name="us-east-1"
    ).create_bucket(Bucket=BUCKET)
    print("| delay of a request | what | client | median | best | CPU |\n| --- | --- | --- | ---: | ---: | ---: |")
    for delay in options.delay:
        measure(options.home.absolute(), server, delay, options.rounds)


if __name__ == "__main__":
    main()

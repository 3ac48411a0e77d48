"""The receiver and the server as real processes on loopback: any request, and then a good one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import random
import re
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from exports.model import checksums
from exports.release import public_folder
from exports.release.entries import Entry
from pipelines.core.settings import Settings
from pipelines.extract.cloudevents.receiver import SECRET
from pipelines.packs.workspace import Workspace
from tests.hostile.fuzzing import changes, corpus, wire
from tests.hostile.fuzzing.case import MOST_BYTES, Case, Outcome, fault_of_text, kind_of
from tests.support import command, happenings

MEMORY = 600_000_000
"""Bytes of memory of a process that listens; it may hold 128 MiB of bodies."""
SIGNATURE = b"SIGNATURE-OF-THE-BODY"
"""Stands in a request for the signature of its body."""
OUTSIDE = "only-the-operator-may-read-this"
"""Text of files that the server may never show."""
_HEADERS = (
    b"Content-Length: 0", b"Content-Length: 99999999999999999999", b"Content-Length: -1", b"Content-Length: 5, 5", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Expect: 100-continue", b"Connection: close", b"Connection: upgrade", b"Upgrade: websocket",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__", b"Content-Encoding: gzip", b"Host: [::1", b"Host:",
    b"X-Forwarded-For: \xff", b": x", b"\x00: x",
    b"Range: bytes=0-", b"Range: bytes=-5", b"Range: bytes=5-2", b"Range: bytes=0-1,3-4", b"Range: bytes=999999999999999999-", b"If-Range: x",
    b"If-None-Match: *", b"If-Modified-Since: Mon, 99 Foo 99999 99:99:99 GMT", b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +9999",
    b"Accept-Encoding: gzip;q=nan", b"Accept-Encoding: *;q=0,gzip;q=1e999", b"Accept-Language: cs;q=-1,*;q=x", b"Accept-Language: " + b"a-" * 2000,
    b"Authorization: Bearer \xc5\xbe", b"Authorization: Bearer", b"Authorization: Basic x", b"X-Signature-256: sha256=" + b"0" * 64,
    b"ce-id: %ff", b"ce-id: %00", b"ce-time: 0000-00-00T00:00:00Z", b"ce-specversion: 2.0", b"ce-type: " + b"x" * 2000,
    b"ce-subject: a/\xf0\x9f\x8f\x99",
    b"X: " + b"y" * 70_000, b"Content-Type: application/cloudevents+json; charset=utf-16", b"Content-Type: \xff", b" folded: x", b"Origin: null",
)  # fmt: skip
_TARGETS = (
    b"/", b"/events", b"/health", b"/latest", b"/latest/", b"/latest.json", b"/latest/../../secret.txt", b"/..%2fsecret.txt", b"/%2e%2e/secret.txt",
    b"/releases/..%5c..%5csecret.txt", b"/.hidden", b"/releases/2025.10.1/", b"/releases/2025.10.1/csv/areas.csv", b"/releases/%00",
    b"/releases/\xff/",
    b"//", b"//secret.txt", b"*", b"http://127.0.0.1/latest.json", b"http://[", b"/?" + b"a=b&" * 500, b"/" + b"a/" * 3000, b"/%", b"/%zz",
    b"/%ed%a0%80",
    b"/latest/%0d%0aSet-Cookie:%20a=b", b"/latest/\xe2\x80\xae", b"/releases/2025.10.1/csv/areas.csv/", b"/releases/2025.10.1/csv/areas.csv%00.json",
    b"/" + b"a" * 300, b"", b"x", b"/latest/csv/areas.csv?x=%0a", b"/releases/" + b"9" * 300 + b"/", b"/releases/./2025.10.1/../..//",
)  # fmt: skip
_METHODS = (b"GET", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"DELETE", b"TRACE", b"CONNECT", b"PRI", b"get", b"G\x00T", b"", b"A" * 1000)


class Listening(ABC):
    """What the receiver and the server have in common."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log = folder, folder / f"{self.name}.log"
        self._process: subprocess.Popen[str] | None = None
        self._seen = 0
        self.port = 0

    def start(self, *arguments: str | Path, **variables: str) -> None:
        """Start the process, and wait until it answers."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self._log.unlink(missing_ok=True)
        self._seen = 0
        self._process = command.start(*arguments, "--port", str(self.port), log=self._log, **variables)
        deadline = time.monotonic() + 60
        while self.ill() is not None:
            is_waiting = time.monotonic() < deadline and self._process.poll() is None
            assert is_waiting, self._log.read_text(encoding="utf-8")
            time.sleep(0.1)

    def changed(self, chance: random.Random, pool: Sequence[Case]) -> Case:
        case = chance.choice(pool)
        content = _other_request(chance, case.content)
        if chance.random() < 0.05:  # two requests on one connection
            content += chance.choice(pool).content
        content = content[:MOST_BYTES]
        return Case(case.name, content, {"split": sorted(chance.randint(0, len(content)) for _ in range(chance.choice([0, 0, 0, 1, 2])))})

    def attempt(self, case: Case) -> Outcome:
        if self._process is None:
            self.restart()
        content = signed(case.content)
        edges = [0, *case.settings.get("split", []), len(content)]
        answer = wire.exchange(self.port, [content[a:b] for a, b in itertools.pairwise(edges)])
        status = answer[9:12].decode("ascii", "replace") if answer.startswith(b"HTTP/1.1 ") else ""
        body = wire.first(answer)[2][:300].decode("utf-8", "replace")
        fault = fault_of_answer(answer, status) or self._fault_of_process()
        if fault is not None:
            self.close()
        return Outcome(f"{status} {kind_of(body) if status[:1] in '45' else ''}", fault)

    @abstractmethod
    def restart(self) -> None:
        """Start the process, in place of the one that runs."""

    @abstractmethod
    def ill(self) -> str | None:
        """Return why the process does not answer a good request."""

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _fault_of_process(self) -> str | None:
        assert self._process is not None
        if self._process.poll() is not None:
            return f"the process ended with exit code {self._process.returncode}: {self._new_log()[-500:]!r}"
        if fault := fault_of_text(self._new_log(), lines=True, most=1_000_000):
            return f"in the log, {fault}"
        if (used := _memory(self._process.pid)) > MEMORY:
            return f"the process has {used // 10**6} MB of memory"
        return self.ill()

    def _new_log(self) -> str:
        with self._log.open("rb") as stream:
            stream.seek(self._seen)
            new = stream.read()
        self._seen += len(new)
        return new.decode("utf-8", "replace")


class Receiver(Listening):
    """`zpo2 serve-events`, with the secret in good requests."""

    name = "receiver"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pack = happenings.write(folder / "pack")
        self._number = 0

    def seeds(self) -> list[Case]:
        return [*corpus.read(self.name), *(Case(name, content) for name, content in events().items())]

    def restart(self) -> None:
        options = ("--pack", self._pack, "--home", self._folder / "home", "--per-second", "100000")
        self.start("serve-events", *options, **{SECRET: happenings.SECRET})

    def ill(self) -> str | None:
        try:
            if b'"status":"ok"' not in (answer := wire.exchange(self.port, [b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"], wire.LONGEST)):
                return f"/health answered {answer[:200]!r}"
            self._number += 1
            if self._number % 10 == 1:
                event = json.dumps({**happenings.event(1), "id": f"good-{os.getpid()}-{time.monotonic_ns()}"}).encode()
                answer = wire.exchange(self.port, [post(event, b"application/cloudevents+json")], wire.LONGEST)
                return None if b" 202 " in answer[:20] and b'"accepted":1' in answer else f"a good event was answered {answer[:300]!r}"
        except OSError as error:
            return f"no connection: {error}"
        return None


class Server(Listening):
    """`zpo2 serve` on a public folder with a file of each kind, beside files that are not for readers."""

    name = "server"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pack = happenings.write(folder / "pack")
        self._home = _published(self._pack, folder / "home")

    def seeds(self) -> list[Case]:
        pages = [b"/", b"/latest.json", b"/latest/csv/areas.csv", b"/releases/2025.10.1/", b"/releases/2025.10.1/csv/areas.csv", b"/feed.atom",
                 b"/releases/2025.10.1/site/cs/index.html", b"/releases/2025.10.1/api/areas.json?x=1"]  # fmt: skip
        headers = b"Host: x\r\nAccept-Encoding: gzip;q=0.5, br\r\nAccept-Language: cs, en;q=0.5\r\nRange: bytes=0-9\r\nIf-None-Match: *"
        requests = [method + b" " + page for page in pages for method in (b"GET", b"HEAD")]
        made = [Case(f"page-{n}", request + b" HTTP/1.1\r\n" + headers + b"\r\n\r\n") for n, request in enumerate(requests)]
        return [*corpus.read(self.name), *made]

    def restart(self) -> None:
        self.start("serve", "--pack", self._pack, "--home", self._home)

    def ill(self) -> str | None:
        try:
            answer = wire.exchange(self.port, [b"GET /latest.json HTTP/1.1\r\nHost: x\r\n\r\n"], wire.LONGEST)
        except OSError as error:
            return f"no connection: {error}"
        expected = (self._home / "public/latest.json").read_bytes()
        return None if b" 200 " in answer[:20] and answer.endswith(expected) else f"/latest.json answered {answer[:300]!r}"


def events() -> dict[str, bytes]:
    """Return good requests to the receiver, by name."""
    event, gone = happenings.event(1), happenings.event(2, subject=True, gone=True)
    encoded = {**event, "data_base64": base64.b64encode(json.dumps(event["data"]).encode()).decode()}
    del encoded["data"]
    binary = b"ce-specversion: 1.0\r\nce-id: %C5%BE\r\nce-source: urn:town\r\nce-type: " + happenings.TYPE.encode()
    body = json.dumps(event["data"]).encode()
    return {
        "structured": post(json.dumps(event).encode(), b"application/cloudevents+json"),
        "base64": post(json.dumps(encoded).encode(), b"application/cloudevents+json"),
        "batch": post(json.dumps([event, gone, {**event, "type": happenings.CHANGED}]).encode(), b"application/cloudevents-batch+json"),
        "binary": post(body, b"application/json", binary),
        "signed": post(json.dumps(event).encode(), b"application/cloudevents+json").replace(
            f"Authorization: Bearer {happenings.SECRET}".encode(), b"X-Signature-256: sha256=" + SIGNATURE
        ),
        "chunked": post(b"", b"application/cloudevents+json", b"Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        + f"{len(json.dumps(event)):x}\r\n{json.dumps(event)}\r\n0\r\n\r\n".encode(),
        "health": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    }


def post(body: bytes, media_type: bytes, more: bytes = b"X-Nothing: x") -> bytes:
    head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {happenings.SECRET}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + b"Content-Type: " + media_type + b"\r\n" + more + b"\r\n\r\n" + body


def signed(request: bytes) -> bytes:
    """Put the signature of the body into a request that has the mark for it."""
    if SIGNATURE not in request:
        return request
    digest = hmac.new(happenings.SECRET.encode(), request.partition(b"\r\n\r\n")[2], hashlib.sha256).hexdigest()
    return request.replace(SIGNATURE, digest.encode())


def fault_of_answer(answer: bytes, status: str) -> str | None:
    """Return what an answer may not be."""
    if status == "500" or (answer and not answer.startswith(b"HTTP/1.1 ")):
        return f"the answer {answer[:300]!r}"
    if OUTSIDE.encode() in answer:
        return f"a file from outside: {answer[:300]!r}"
    head, _, body = wire.first(answer)
    if b"\0" in head or any(b"\r" in line for line in head.split(b"\r\n")) or b"\r\nset-cookie" in head.lower():
        return f"a head with parts of the request: {head[:300]!r}"
    is_text = b"json" in head and status[:1] == "4"
    body = body.partition(b"HTTP/1.1 ")[0]  # an answer to HEAD has none, and another one may follow
    return fault_of_text(body.decode("utf-8", "replace"), lines=True, most=MOST_BYTES) if is_text else None


def _other_request(chance: random.Random, content: bytes) -> bytes:
    head, _, body = content.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    words = first.split(b" ", 2)
    for _ in range(chance.choice([1, 1, 2])):
        match chance.randrange(10):
            case 0 if len(words) == 3:
                words[0] = chance.choice(_METHODS)
            case 1 if len(words) == 3:
                words[1] = chance.choice(_TARGETS)
            case 2 if len(words) == 3:
                words[chance.choice([1, 1, 1, 2])] = changes.in_bytes(chance, words[1]).replace(b" ", b"+")
            case 3:
                headers.insert(chance.randint(0, len(headers)), chance.choice(_HEADERS))
            case 4 if headers:
                at = chance.randrange(len(headers))
                headers[at] = changes.any_of(chance, changes.in_bytes, changes.in_text)(chance, headers[at])
            case 5 if headers:
                del headers[chance.randrange(len(headers))]
            case 6 if headers:
                name = chance.choice(headers).partition(b":")[0]
                headers.append(name + b": " + changes.value(chance).encode("utf-8", "replace")[:70_000].replace(b"\n", b""))
            case 7:
                body = changes.any_of(chance, changes.in_bytes, changes.in_text)(chance, body)
            case _:
                body = changes.in_json(chance, body) if body else body
    if chance.random() < 0.85:
        length = b"Content-Length: %d" % len(body)
        headers = [length if re.fullmatch(rb"(?i)content-length: *\d{1,7}", header) else header for header in headers]
    whole = b"\r\n".join([b" ".join(words), *headers, b"", b""]) + body
    return changes.in_bytes(chance, whole) if chance.random() < 0.05 else whole


def _published(pack: Path, home: Path) -> Path:
    """Write a home with one release, and texts that no reader may see."""
    Workspace.load(Settings(pack=pack, home=home)).open()
    release, work = home / "staging/release", home / "staging/work"
    files = {
        "csv/areas.csv": "code,name\na1,Alder\n" * 200, "api/areas.json": json.dumps([{"code": "a1"}] * 300), "README.md": "# A release\n",
        "site/cs/index.html": "<!doctype html><p>" + "x" * 3000, "site/en/index.html": "<!doctype html><p>", ".hidden": OUTSIDE,
    }  # fmt: skip
    for name, text in files.items():
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(text, encoding="utf-8")
    work.mkdir(parents=True, exist_ok=True)
    checksums.write(release, {})
    known, _ = public_folder.recover(home / "public", work)
    public_folder.publish(release, Entry("2025.10.1", "2025-10-10T00:00:00Z", "", "first", {}), known, home / "public", work)
    for path in (home / "secret.txt", home.parent / "secret.txt", home / "public/.hidden"):
        path.write_text(OUTSIDE, encoding="utf-8")
    return home


def _memory(process: int) -> int:
    """Bytes of memory that a process has; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0

"""`zpo2 push s3` against a store on loopback: a reader of the bucket never finds a pointer to an incomplete release."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pushing import VERSIONS, command, copy_of, damage, example, home_with_two_releases, tree, withdraw

from exports.model import checksums, media_types
from exports.push import push_plan, s3
from exports.push.errors import PushError
from pipelines.core.errors import UsageError
from tests.support import store as support
from tests.support.command import environment
from tests.support.store import KEY, SECRET, Store

pytestmark = pytest.mark.slow

FIRST, SECOND = VERSIONS
ID_ENV, KEY_ENV = "ZPO2_SECRET_S3_ID", "ZPO2_SECRET_S3_KEY"
SECRETS = {ID_ENV: KEY, KEY_ENV: SECRET}


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with support.serving() as store:
        yield store


@pytest.fixture
def store(server: Store) -> Store:
    server.asked.clear()
    server.faults, server.hold_at, server.refused, server.pairs, server.failing = {}, 0, frozenset(), None, ""
    server.held.clear()
    server.go_on.clear()
    return server


@pytest.fixture
def bucket(store: Store) -> str:
    return store.bucket(f"b{uuid.uuid4().hex[:12]}")


def options(home: Path, store: Store, bucket: str) -> list[str | Path]:
    return [
        "s3", "--home", home, "--bucket", bucket, "--prefix", "open/zpo2", "--endpoint", store.url,
        "--access-key-env", ID_ENV, "--secret-key-env", KEY_ENV,
    ]  # fmt: skip


def run(home: Path, store: Store, bucket: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return command(*options(home, store, bucket), *arguments, **{**SECRETS, **variables})


def push(home: Path, store: Store, bucket: str, version: str | None = None, jobs: int = s3.JOBS) -> list[str]:
    messages: list[str] = []
    target = s3.Bucket(bucket, "open/zpo2", store.url, "us-east-1", KEY, SECRET, jobs, attempts=2)
    s3.push(push_plan.select_release(home / "public", version), target, messages.append)
    return messages


def served(store: Store, bucket: str) -> str | None:
    """Return the version that a reader of the bucket gets, after checking every byte of it; None if there is no pointer."""
    objects = store.objects(bucket)
    if "open/zpo2/latest.json" not in objects:
        return None
    latest = json.loads(objects["open/zpo2/latest.json"])
    place = f"open/zpo2/{latest['path']}"
    sums = {line[66:]: line[:64] for line in objects[place + checksums.NAME].decode().splitlines()}
    actual = {name.removeprefix(place): hashlib.sha256(content).hexdigest() for name, content in objects.items() if name.startswith(place)}
    assert {**actual, checksums.NAME: ""} == {**sums, checksums.NAME: ""}
    return str(latest["version"])


def first_was_current(home: Path, folder: Path) -> Path:
    """Return a copy of a workspace as it was when its first release was current."""
    copy = copy_of(home, folder)
    shutil.rmtree(copy / "public" / "releases" / SECOND)
    ledger = copy / "public" / "releases.json"
    value = json.loads(ledger.read_text(encoding="utf-8"))
    value["releases"].pop()
    ledger.write_text(json.dumps(value), encoding="utf-8")
    latest = {"version": FIRST, "released": "2026-11-03T08:30:00Z", "path": f"releases/{FIRST}/"}
    (copy / "public" / "latest.json").write_text(json.dumps(latest), encoding="utf-8")
    return copy


class TestInterruptedPush:
    @pytest.mark.parametrize("jobs", [1, 10])
    def test_keeps_pointer_after_failure(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str, jobs: int) -> None:
        home = first_was_current(two_releases, tmp_path / "before")
        push(home, store, bucket)
        assert served(store, bucket) == FIRST
        pointer = store.objects(bucket)["open/zpo2/latest.json"]
        place = f"open/zpo2/releases/{SECOND}/"
        paths = push_plan.select_release(two_releases / "public", None).files
        arrived: set[str] = set()
        # the first file; one of many; the checksums; the ledger; the pointer
        for failing in ("catalog.ttl", "parquet/areas.parquet", "SHA256SUMS", "releases.json", "latest.json"):
            store.asked.clear()
            store.failing = failing
            with pytest.raises(PushError, match=r"AccessDenied.*the same command continues from here"):
                push(two_releases, store, bucket, jobs=jobs)
            asked = {path.removeprefix(f"/{bucket}/{place}") for method, path in store.asked if method in {"PUT", "COPY"}}
            assert not asked & arrived, "what has arrived is not sent again"
            objects = store.objects(bucket)
            assert objects["open/zpo2/latest.json"] == pointer
            assert served(store, bucket) == FIRST
            arrived = {name.removeprefix(place) for name in objects if name.startswith(place)}
            assert checksums.NAME not in arrived or arrived == set(paths)
        store.failing = ""
        push(two_releases, store, bucket, jobs=jobs)
        assert served(store, bucket) == SECOND

    @pytest.mark.parametrize("at", [5, 42])
    def test_continues_after_kill(self, two_releases: Path, store: Store, bucket: str, at: int) -> None:
        store.hold_at = at
        arguments = [str(word) for word in options(two_releases, store, bucket)]
        running = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "push", *arguments], env=environment(**SECRETS), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert store.held.wait(60), "the push came that far"
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        store.settle()
        assert served(store, bucket) is None
        objects = len(store.objects(bucket))
        assert objects >= at - s3.JOBS
        store.hold_at = 0
        store.go_on.set()
        store.asked.clear()
        assert run(two_releases, store, bucket).returncode == 0
        assert served(store, bucket) == SECOND
        assert len(store.puts) == len(store.objects(bucket)) - objects

    def test_retries_temporary_errors(self, two_releases: Path, store: Store, bucket: str) -> None:
        store.faults = {2: 503, 4: 0}
        done = run(two_releases, store, bucket)
        assert (done.returncode, done.stderr) == (0, "")
        assert served(store, bucket) == SECOND

    def test_gives_up_when_store_stays_busy(self, two_releases: Path, store: Store, bucket: str) -> None:
        store.faults = dict.fromkeys(range(3, 99), 503)
        with pytest.raises(PushError, match=r"SlowDown .*\(2 of \d+ missing files were sent; the same command continues from here\)"):
            push(two_releases, store, bucket)


class TestClient:
    def test_ignores_environment(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str) -> None:
        (tmp_path / "config").write_text(
            "[default]\nregion = eu-north-1\nendpoint_url = http://127.0.0.1:1\n[profile other]\nrole_arn = x\n", encoding="utf-8"
        )
        foreign = {
            "AWS_PROFILE": "nobody", "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
            "AWS_SECRET_ACCESS_KEY": "foreign",
            "AWS_SESSION_TOKEN": "foreign", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
            "AWS_CA_BUNDLE": str(tmp_path / "nothing"), "AWS_MAX_ATTEMPTS": "no", "HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
            "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_RETRY_MODE": "no",
        }  # fmt: skip
        done = run(two_releases, store, bucket, **foreign)
        assert (done.returncode, done.stderr) == (0, "")
        assert served(store, bucket) == SECOND

    def test_uses_aws_without_endpoint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2")
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
        client = s3._client(s3.Bucket("b", "", None, "eu-central-1", KEY, SECRET))
        assert client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"

    def test_hides_credentials(self, two_releases: Path, store: Store, bucket: str) -> None:
        store.faults = dict.fromkeys(range(1, 99), 403)
        for arguments in ([], ["--dry-run"], ["--bucket", "nobody-has-this"]):
            done = run(two_releases, store, bucket, *arguments)
            assert KEY not in done.stdout + done.stderr
            assert SECRET not in done.stdout + done.stderr
            assert len(done.stderr.splitlines()) == done.returncode


class TestPush:
    def test_copies_release_and_pointer_files(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        (home / "public" / "notes.txt").write_text("whatever lies there", encoding="utf-8")
        done = run(home, store, bucket)
        assert (done.returncode, done.stderr) == (0, "")
        assert served(store, bucket) == SECOND
        public = {
            f"open/zpo2/{path}": content
            for path, content in tree(home / "public").items()
            if not path.startswith((f"releases/{FIRST}/", "."))
        }
        assert store.objects(bucket) == public

    def test_example_in_help_works(self, two_releases: Path, store: Store, bucket: str) -> None:
        done = command(*example("s3", "--endpoint", store.url, "--bucket", bucket), "--home", two_releases, **SECRETS)
        assert (done.returncode, done.stderr) == (0, "")
        assert "zpo2/latest.json" in store.objects(bucket)

    def test_sends_checksums_and_pointer_last(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        names = [path.removeprefix(f"/{bucket}/open/zpo2/") for path in store.puts]
        end = names.index(f"releases/{SECOND}/SHA256SUMS") + 1
        assert all(name.startswith(f"releases/{SECOND}/") for name in names[:end])
        assert not any(name.startswith("releases/") for name in names[end:])
        assert {"feed.atom", "index.html", "latest/index.html", "datasets/women/index.html"} <= set(names[end:])
        assert names[-2:] == ["releases.json", "latest.json"]

    def test_sets_type_caching_and_checksum(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        for name, content in store.objects(bucket).items():
            actual = store.client.head_object(Bucket=bucket, Key=name)
            assert actual["ContentType"] == media_types.media_type(name)
            assert actual["CacheControl"] == ("public, max-age=31536000, immutable" if "/releases/" in name else "no-cache")
            assert actual["Metadata"]["sha256"] == hashlib.sha256(content).hexdigest()
        csv = store.client.head_object(Bucket=bucket, Key=f"open/zpo2/releases/{SECOND}/csv/areas.csv")
        assert csv["ContentType"] == "text/csv; charset=utf-8; header=present"

    def test_second_push_writes_nothing(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        store.asked.clear()
        done = run(two_releases, store, bucket)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].endswith("nothing to do")
        assert {method for method, _ in store.asked} == {"GET"}

    def test_lists_what_is_there_and_asks_for_no_object(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        store.asked.clear()
        push(two_releases, store, bucket)
        assert [method for method, _ in store.asked] == ["GET"] * 4, "lists of the release, of the root, of datasets/ and of latest/"

    def test_uses_several_connections(self, two_releases: Path, store: Store, bucket: str) -> None:
        plan = push_plan.select_release(two_releases / "public", FIRST)
        target = s3.Bucket(bucket, "", store.url, "us-east-1", KEY, SECRET, jobs=2)
        sender = s3._Store(target)
        store.pairs = threading.Barrier(2)
        facts = plan.files["README.md"]
        content = plan.checked_file("README.md").read_bytes()
        sender.for_each(lambda name: sender.put(name, content, facts, "no-cache"), ["a", "b", "c", "d"])
        assert set(store.objects(bucket)) == {"a", "b", "c", "d"}

    def test_recognises_object_by_metadata(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        name = f"open/zpo2/releases/{SECOND}/csv/areas.csv"
        content = store.objects(bucket)[name]
        # an object that was written in parts, or encrypted by the store, has an ETag that is no MD5
        metadata = {"sha256": hashlib.sha256(content).hexdigest()}
        upload = store.client.create_multipart_upload(Bucket=bucket, Key=name, Metadata=metadata)["UploadId"]
        part = store.client.upload_part(Bucket=bucket, Key=name, UploadId=upload, PartNumber=1, Body=content)
        parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
        store.client.complete_multipart_upload(Bucket=bucket, Key=name, UploadId=upload, MultipartUpload=parts)
        store.asked.clear()
        push(two_releases, store, bucket)
        assert [(method, path) for method, path in store.asked if method != "GET"] == [("HEAD", f"/{bucket}/{name}")]

    def test_copies_what_earlier_release_has(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket, FIRST)
        store.asked.clear()
        messages = push(two_releases, store, bucket)
        names = {method: {path for m, path in store.asked if m == method} for method in ("PUT", "COPY")}
        place = f"/{bucket}/open/zpo2/releases/{SECOND}/"
        assert {f"{place}csv/indicators.csv", f"{place}parquet/indicators.parquet"} <= names["COPY"]
        assert {f"{place}csv/areas.csv", f"{place}SHA256SUMS"} <= names["PUT"]
        assert not names["PUT"] & names["COPY"]
        assert any(line.startswith(f"copy {len(names['COPY'])} files of an earlier release") for line in messages)
        assert served(store, bucket) == SECOND
        copied = store.client.head_object(Bucket=bucket, Key=f"open/zpo2/releases/{SECOND}/csv/indicators.csv")
        sums = checksums.read(two_releases / "public" / "releases" / SECOND)
        assert copied["Metadata"] == {"sha256": sums["csv/indicators.csv"]}
        assert copied["ContentType"] == media_types.media_type("indicators.csv")
        assert copied["CacheControl"] == media_types.CACHE_FOREVER

    def test_sends_what_store_does_not_copy(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket, FIRST)
        store.refused = frozenset({"COPY"})
        push(two_releases, store, bucket)
        assert served(store, bucket) == SECOND

    def test_says_why_store_refuses_without_a_word(self, two_releases: Path, store: Store, bucket: str) -> None:
        for method, words in (
            ("GET", "could not list: AccessDenied (403 Forbidden); check that"),
            ("PUT", "could not put: AccessDenied (403"),
        ):
            store.refused = frozenset({method})
            with pytest.raises(PushError) as failed:
                push(two_releases, store, bucket)
            assert words in str(failed.value)
            assert "None" not in str(failed.value)

    def test_dry_run_writes_nothing(self, two_releases: Path, store: Store, bucket: str) -> None:
        done = run(two_releases, store, bucket, "--dry-run")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"to open/zpo2/releases/{SECOND}/" in done.stdout
        assert "would write open/zpo2/latest.json" in done.stdout.splitlines()
        assert store.puts == []

    def test_replaces_object_with_wrong_bytes(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        name = f"open/zpo2/releases/{SECOND}/csv/areas.csv"
        size = len(store.objects(bucket)[name])
        store.client.put_object(Bucket=bucket, Key=name, Body=b"x" * size)
        store.asked.clear()
        push(two_releases, store, bucket)
        assert [path.removeprefix(f"/{bucket}/") for path in store.puts] == [name]
        assert served(store, bucket) == SECOND

    def test_does_not_overwrite_different_release(
        self, two_releases: Path, warehouse: Path, tmp_path: Path, store: Store, bucket: str
    ) -> None:
        other = home_with_two_releases(tmp_path / "other", warehouse, warehouse, "https://elsewhere.example.org/")
        push(other, store, bucket, FIRST)
        before = store.objects(bucket)
        with pytest.raises(PushError, match=f"has a different release {FIRST}"):
            push(two_releases, store, bucket, FIRST)
        assert store.objects(bucket) == before

    def test_of_older_release_keeps_pointer(self, two_releases: Path, store: Store, bucket: str) -> None:
        push(two_releases, store, bucket)
        push(two_releases, store, bucket, FIRST)
        assert served(store, bucket) == SECOND
        assert f"open/zpo2/releases/{FIRST}/SHA256SUMS" in store.objects(bucket)

    def test_rejects_damaged_release(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        path = home / "public" / "releases" / SECOND / "csv" / "areas.csv"
        path.write_bytes(path.read_bytes()[:-3])
        done = run(home, store, bucket)
        assert done.returncode == 1
        assert "csv/areas.csv" in done.stderr
        assert store.asked == []

    def test_rejects_file_that_changes(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        plan = push_plan.select_release(home / "public", None)
        damage(home / "public" / "releases" / SECOND / "csv" / "areas.csv")
        target = s3.Bucket(bucket, "open/zpo2", store.url, "us-east-1", KEY, SECRET)
        with pytest.raises(PushError, match=r"csv/areas\.csv changed after it was checked"):
            s3.push(plan, target, print)
        assert f"open/zpo2/releases/{SECOND}/csv/areas.csv" not in store.objects(bucket)
        assert served(store, bucket) is None

    def test_rejects_withdrawn_release(self, two_releases: Path, tmp_path: Path, store: Store, bucket: str) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        withdraw(home, FIRST)
        assert run(home, store, bucket, "--version", FIRST).returncode == 2
        assert store.asked == []

    @pytest.mark.parametrize(
        ("arguments", "variables", "code", "words"),
        [
            ([], {KEY_ENV: ""}, 2, "ZPO2_SECRET_S3_KEY is not set"),
            (["--access-key-env", "AWS_ACCESS_KEY_ID"], {}, 2, "ZPO2_SECRET_<NAME>"),
            ([], {f"{ID_ENV}_HOSTS": "s3.example.org"}, 2, "does not name 127.0.0.1"),
            (["--endpoint", "127.0.0.1:9000"], {}, 2, "expected the address of a store"),
            (["--endpoint", "https://[::1"], {}, 2, "expected the address of a store"),
            (["--bucket", "Not A Bucket!"], {}, 2, "--bucket"),
            (["--version", "2020.01.1"], {}, 2, "no such release"),
            (["--bucket", "nobody-has-this"], {}, 1, "NoSuchBucket"),
            (["--endpoint", "http://127.0.0.1:1", "--dry-run"], {}, 1, "could not list"),
        ],
    )
    def test_exit_code_depends_on_cause(
        self, two_releases: Path, store: Store, bucket: str, arguments: list[str], variables: dict[str, str], code: int, words: str
    ) -> None:
        done = run(two_releases, store, bucket, *arguments, **variables)
        assert done.returncode == code, done.stderr
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert store.puts == []

    def test_rejects_too_large_file(self, two_releases: Path, store: Store, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3, "MAX_BYTES", 1000)
        with pytest.raises(UsageError, match="more than 1000 bytes"):
            push(two_releases, store, bucket)
        assert store.asked == []

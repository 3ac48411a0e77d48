"""`zpo2 push s3` against Ceph's radosgw."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from pushing import VERSIONS, command, tree

from exports.model import media_types
from tests.portals.s3_server import KEY, SECRET
from tests.support.command import environment

FIRST, SECOND = VERSIONS
SECRETS = {"ZPO2_SECRET_S3_ID": KEY, "ZPO2_SECRET_S3_KEY": SECRET}


class Bucket:
    """A new bucket, and the push of a release into it."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self.client: Any = boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
        )
        self.name = f"b{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=self.name)
        self.arguments = [
            "s3", "--home", str(home), "--bucket", self.name, "--prefix", "open", "--endpoint", endpoint,
            "--access-key-env", "ZPO2_SECRET_S3_ID", "--secret-key-env", "ZPO2_SECRET_S3_KEY",
        ]  # fmt: skip

    def push(self, *arguments: str) -> list[str]:
        done = command(*self.arguments, *arguments, **SECRETS)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def listed(self) -> dict[str, dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {item["Key"]: item for page in pages for item in page.get("Contents", [])}

    def content(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def current(self) -> str | None:
        """Return the version that readers get, after checking all its files; None if there is no pointer."""
        if "open/latest.json" not in self.listed():
            return None
        latest = json.loads(self.content("open/latest.json"))
        folder = f"open/{latest['path']}"
        for line in self.content(f"{folder}SHA256SUMS").decode().splitlines():
            assert hashlib.sha256(self.content(folder + line[66:])).hexdigest() == line[:64]
        return str(latest["version"])


@pytest.fixture
def bucket(s3: str, home: Path) -> Bucket:
    return Bucket(s3, home)


def test_push_has_all_files_and_media_types(bucket: Bucket, home: Path) -> None:
    bucket.push()
    expected = {f"open/{path}" for path in tree(home / "public") if not path.startswith((f"releases/{FIRST}/", "."))}
    assert set(bucket.listed()) == expected
    assert bucket.current() == SECOND
    for key in expected:
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert head["ContentType"] == media_types.media_type(Path(key).name)


def test_second_push_writes_nothing(bucket: Bucket) -> None:
    bucket.push()
    before = bucket.listed()
    assert bucket.push()[-1].endswith("nothing to do")
    assert bucket.listed() == before


def test_changed_release_is_copied_where_it_is_the_same(bucket: Bucket) -> None:
    bucket.push("--version", FIRST)
    messages = bucket.push()
    assert any("of an earlier release" in line for line in messages)
    assert bucket.current() == SECOND
    head = bucket.client.head_object(Bucket=bucket.name, Key=f"open/releases/{SECOND}/csv/indicators.csv")
    assert head["Metadata"]["sha256"] == hashlib.sha256(bucket.content(f"open/releases/{SECOND}/csv/indicators.csv")).hexdigest()
    assert head["ContentType"] == media_types.media_type("indicators.csv")


@pytest.mark.parametrize("files", [1, 20, 40])
def test_kill_leaves_last_release(bucket: Bucket, files: int) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "push", *bucket.arguments], env=environment(**SECRETS), stdout=subprocess.DEVNULL
    )
    while len(bucket.listed()) < files and running.poll() is None:
        time.sleep(0.01)
    running.kill()
    running.wait()
    assert bucket.current() in {None, SECOND}
    bucket.push()
    assert bucket.current() == SECOND


def test_refusal_has_a_reason(bucket: Bucket) -> None:
    for arguments, secrets, words in (
        (["--bucket", "nobody-has-this"], SECRETS, "NoSuchBucket"),
        ([], {**SECRETS, "ZPO2_SECRET_S3_KEY": "wrong"}, "SignatureDoesNotMatch"),
    ):
        done = command(*bucket.arguments, *arguments, **secrets)
        assert done.returncode == 1
        assert words in done.stderr
        assert "None" not in done.stderr

"""Push a release into a bucket of an S3 object store, under the names that the files have in `public`, with latest.json last.

Objects of a release may be cached for ever; pointer files must be revalidated. Every object has its SHA-256 as metadata. The store checks
it on arrival, and the next push uses it to find out what is missing. The S3 library normally reads environment variables, configuration
files and proxies; this is disabled, so that only the options of the command count.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from exports.model import checksums, media_types
from exports.model.info import FileFacts
from exports.push.errors import PushError
from exports.push.push_plan import PushPlan
from pipelines.core.errors import UsageError

MAX_BYTES = 5 * 1024**3
"""The largest object that S3 accepts in a single request."""
CHECKSUM = "sha256"


@dataclass(frozen=True)
class Bucket:
    """The target. `prefix` has no slashes at its ends, `endpoint` is None for AWS, `key` and `secret` are credentials."""

    name: str
    prefix: str
    endpoint: str | None
    region: str
    key: str
    secret: str
    attempts: int = 6

    def object_key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


def push(plan: PushPlan, bucket: Bucket, report_progress: Callable[[str], None], *, dry_run: bool = False) -> int:
    """Copy the release and its pointer files to the bucket. Return how many objects were, or would be, written.

    Raises UsageError if a file is too large or the address of the bucket is wrong, and PushError if the store refuses or fails, or has a
    different release with the same version.
    """
    if too_large := [path for path, facts in plan.files.items() if facts.bytes > MAX_BYTES]:
        raise UsageError(f"{too_large[0]} has more than {MAX_BYTES} bytes, which is the most that S3 accepts in one request")
    store = _Store(bucket)
    sizes = store.sizes(plan.path)
    sums = plan.files[checksums.NAME]
    if checksums.NAME in sizes and store.checksum(plan.path + checksums.NAME) not in (sums.sha256, None):
        raise PushError(f"{bucket} has a different release {plan.version}; use one prefix for each workspace")
    missing = [path for path, facts in plan.files.items() if sizes.get(path) != facts.bytes or _differs(store, plan, path)]
    # SHA256SUMS comes last: once it is there, so is every file that it lists
    missing.sort(key=lambda path: path == checksums.NAME)
    stale = [name for name, content in plan.pointer_files.items() if store.checksum(name) != checksums.facts_of(content).sha256]
    would = "would " if dry_run else ""
    if missing:
        size = sum(plan.files[path].bytes for path in missing)
        report_progress(f"{would}send {len(missing)} of {len(plan.files)} files, {size} bytes, to {bucket.object_key(plan.path)}")
    for name in stale:
        report_progress(f"{would}write {bucket.object_key(name)}")
    if dry_run:
        return len(missing) + len(stale)
    for number, path in enumerate(missing):
        with _report_position(f"{number} of {len(missing)} missing files were sent"), plan.checked_file(path).open("rb") as file:
            store.put(plan.path + path, file, plan.files[path], media_types.CACHE_FOREVER)
    plan.check_still_current()
    for name in stale:
        with _report_position(f"the release was sent, {name} was not"):
            content = plan.pointer_files[name]
            store.put(name, content, checksums.facts_of(content), media_types.CACHE_REVALIDATE)
    return len(missing) + len(stale)


def _differs(store: _Store, plan: PushPlan, path: str) -> bool:
    return store.checksum(plan.path + path) != plan.files[path].sha256


@contextmanager
def _report_position(position: str) -> Iterator[None]:
    """Add to an error how far the push came."""
    try:
        yield
    except PushError as error:
        raise PushError(f"{error} ({position}; the same command continues from here)") from None


class _Store:
    """The objects of a bucket below its prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        with self._errors("connect"):
            self.client = _client(bucket)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of all objects in a folder by their path in it."""
        prefix = self.bucket.object_key(folder)
        with self._errors("list"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket.name, Prefix=prefix)
            return {item["Key"].removeprefix(prefix): item["Size"] for page in pages for item in page.get("Contents", [])}

    def checksum(self, path: str) -> str | None:
        """Return the SHA-256 of an object; None if the object is missing or its SHA-256 is unknown."""
        from botocore.exceptions import ClientError

        with self._errors("look at"):
            try:
                head = self.client.head_object(Bucket=self.bucket.name, Key=self.bucket.object_key(path), ChecksumMode="ENABLED")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise
        checksum: str | None = head.get("Metadata", {}).get(CHECKSUM)
        return checksum or _hex(head.get("ChecksumSHA256"))

    def put(self, path: str, body: IO[bytes] | bytes, facts: FileFacts, caching: str) -> None:
        """Write an object with the bytes that `facts` describe, completely or not at all."""
        with self._errors("put"):
            response = self.client.put_object(
                Bucket=self.bucket.name, Key=self.bucket.object_key(path), Body=body, ContentLength=facts.bytes,
                ContentType=media_types.media_type(Path(path).name), CacheControl=caching, Metadata={CHECKSUM: facts.sha256},
                ChecksumSHA256=base64.b64encode(bytes.fromhex(facts.sha256)).decode(),
            )  # fmt: skip
        if _hex(response.get("ChecksumSHA256")) not in (facts.sha256, None):
            raise PushError(f"{self.bucket}: {path} was damaged on the way to the store")

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        """Turn errors of the library into readable ones without credentials."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            yield
        except ParamValidationError:
            raise UsageError(f"--bucket {self.bucket.name}: expected the name of a bucket") from None
        except ClientError as error:
            code, message = error.response["Error"].get("Code", "?"), error.response["Error"].get("Message", "")
            raise PushError(f"{self.bucket}: not allowed to {verb}: {self._safe(f'{code} {message}'.strip())}{_advice(code)}") from None
        except BotoCoreError as error:
            raise PushError(f"{self.bucket}: could not {verb}: {self._safe(str(error))}") from None
        except ValueError as error:
            raise UsageError(f"--bucket or --endpoint: {self._safe(str(error))}") from None

    def _safe(self, text: str) -> str:
        return " ".join(text.replace(self.bucket.secret, "***").replace(self.bucket.key, "***").split())


def _client(bucket: Bucket) -> Any:
    """Return a client that reads no configuration of its own."""
    import boto3
    from botocore import configprovider, session
    from botocore.config import Config

    defaults = configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    variables = {name: (None, None, default, kind) for name, (_, _, default, kind) in defaults}
    variables |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    config = Config(
        retries={"mode": "standard", "total_max_attempts": bucket.attempts},
        s3={"addressing_style": "path" if bucket.endpoint else "auto", "payload_signing_enabled": True},
        proxies={},
        ignore_configured_endpoint_urls=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=15,
        read_timeout=300,
    )
    return boto3.Session(botocore_session=session.Session(session_vars=variables)).client(
        "s3", region_name=bucket.region, endpoint_url=bucket.endpoint, config=config,
        aws_access_key_id=bucket.key, aws_secret_access_key=bucket.secret,
    )  # fmt: skip


def _hex(checksum: str | None) -> str | None:
    """Return a checksum from S3 in hexadecimal digits; None if there is none for the whole object."""
    return base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None


def _advice(code: str) -> str:
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "401"):
        return "; check that the credentials are right and may list, read and write this bucket"
    if code in ("NoSuchBucket", "404"):
        return "; create the bucket first"
    return ""

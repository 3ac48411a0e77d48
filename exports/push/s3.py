"""Push a release into a bucket of an S3 object store, under the names that the files have in `public`, with latest.json last.

Objects of a release may be cached for ever; pointer files must be revalidated. Every object has its SHA-256 as metadata; the store checks
it on arrival. Lists of the bucket show what is missing: the ETag of an object is the MD5 of its bytes where the store keeps to the custom,
and the metadata decides where it does not. What an earlier release has already is copied within the store. Files are sent over several
connections at once, but SHA256SUMS only after all others have arrived, then the pages and feeds beside the releases, and releases.json and
latest.json at the end.

The S3 library normally reads environment variables, configuration files and proxies; this is disabled, so that only the options of the
command count.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, TypeVar

from exports.model import checksums, media_types
from exports.model.info import FileFacts
from exports.push.errors import PushError
from exports.push.push_plan import PushPlan
from exports.release.entries import RELEASES
from exports.release.ledger import LATEST, LEDGER
from pipelines.core.errors import UsageError

MAX_BYTES = 5 * 1024**3
"""The largest object that S3 accepts in a single request."""
CHECKSUM = "sha256"
LAST = (LEDGER, LATEST)
"""What is written when everything else is there."""
JOBS = 10
"""How many connections a push uses at once unless it is asked for another number."""

Report = Callable[[str], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bucket:
    """The target. `prefix` has no slashes at its ends, `endpoint` is None for AWS, `key` and `secret` are credentials."""

    name: str
    prefix: str
    endpoint: str | None
    region: str
    key: str
    secret: str
    jobs: int = JOBS
    attempts: int = 6

    def object_key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


@dataclass(frozen=True)
class StoredObject:
    """An object as a list shows it. `md5` is None if its ETag cannot be an MD5."""

    path: str
    bytes: int
    etag: str

    @property
    def md5(self) -> str | None:
        return self.etag if len(self.etag) == 32 else None


def push(plan: PushPlan, bucket: Bucket, report_progress: Callable[[str], None], *, dry_run: bool = False) -> int:
    """Copy the release and its pointer files to the bucket. Return how many objects were, or would be, written.

    Raises UsageError if a file is too large or the address of the bucket is wrong, and PushError if the store refuses or fails, or has a
    different release with the same version.
    """
    if too_large := [path for path, facts in plan.files.items() if facts.bytes > MAX_BYTES]:
        raise UsageError(f"{too_large[0]} has more than {MAX_BYTES} bytes, which is the most that S3 accepts in one request")
    store = _Store(bucket)
    missing = _missing_files(plan, store)
    stale = _stale_pointer_files(plan, store)
    copies = _copies(plan, store, missing)
    _report_work(plan, bucket, missing, stale, copies, "would " if dry_run else "", report_progress)
    if dry_run:
        return len(missing) + len(stale)
    sent: list[str] = []

    def send(path: str) -> None:
        facts = plan.files[path]
        if path not in copies or not store.copy(copies[path], plan.path + path, facts, media_types.CACHE_FOREVER):
            with plan.checked_file(path).open("rb") as file:
                store.put(plan.path + path, file, facts, media_types.CACHE_FOREVER)
        sent.append(path)

    try:
        store.for_each(send, [path for path in missing if path != checksums.NAME])
        # SHA256SUMS comes last: once it is there, so is every file that it lists
        store.for_each(send, [path for path in missing if path == checksums.NAME])
    except PushError as error:
        raise _with_position(error, f"{len(sent)} of {len(missing)} missing files were sent") from None
    plan.check_still_current()

    def point(name: str) -> None:
        content = plan.pointer_files[name]
        try:
            store.put(name, content, checksums.facts_of(content), media_types.CACHE_REVALIDATE)
        except PushError as error:
            raise _with_position(error, f"the release was sent, {name} was not") from None

    # the ledger and latest.json come last, in this order: once they are there, so are the pages
    store.for_each(point, [name for name in stale if name not in LAST])
    for name in stale:
        if name in LAST:
            point(name)
    return len(missing) + len(stale)


def _missing_files(plan: PushPlan, store: _Store) -> list[str]:
    """Return the paths of files that the bucket does not have. Raises PushError if it has a different release with this version."""
    stored = store.objects(plan.path)
    sums = stored.get(plan.path + checksums.NAME)
    is_same = sums is None or sums.md5 == _md5(plan.folder / checksums.NAME)
    if not is_same and store.checksum(plan.path + checksums.NAME) not in (plan.files[checksums.NAME].sha256, None):
        raise PushError(f"{store.bucket} has a different release {plan.version}; use one prefix for each workspace")

    def is_missing(path: str) -> bool:
        remote, facts = stored.get(plan.path + path), plan.files[path]
        if remote is None or remote.bytes != facts.bytes:
            return True
        return remote.md5 != _md5(plan.folder / path) and store.checksum(remote.path) != facts.sha256

    return [path for path, missing in zip(plan.files, store.for_each(is_missing, plan.files), strict=True) if missing]


def _stale_pointer_files(plan: PushPlan, store: _Store) -> list[str]:
    """Return the names of pointer files that the bucket does not have with these bytes, in the order of the plan."""
    folders = {
        name[: name.find("/") + 1] for name in plan.pointer_files
    }  # one list each; beside them lie the releases, which are many files
    stored = {path: remote for folder in sorted(folders) for path, remote in store.objects(folder, deep=folder != "").items()}

    def is_stale(name: str) -> bool:
        remote, content = stored.get(name), plan.pointer_files[name]
        if remote is None or remote.bytes != len(content):
            return True
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return remote.md5 != md5 and store.checksum(name) != checksums.facts_of(content).sha256

    return [name for name, stale in zip(plan.pointer_files, store.for_each(is_stale, plan.pointer_files), strict=True) if stale]


def _copies(plan: PushPlan, store: _Store, missing: Iterable[str]) -> dict[str, StoredObject]:
    """Return the missing files whose bytes the bucket has in its last earlier release, with the objects that have them."""
    candidates = [path for path in missing if path != checksums.NAME]
    versions = store.folders(f"{RELEASES}/") if candidates else frozenset()
    earlier = next((e.version for e in reversed(plan.history) if e.version != plan.version and e.version in versions), None)
    if earlier is None:
        return {}
    stored = {(remote.bytes, remote.md5): remote for remote in store.objects(f"{RELEASES}/{earlier}/").values() if remote.md5}
    sizes = {size for size, _ in stored}
    copies = {}
    for path in candidates:
        if plan.files[path].bytes in sizes and (remote := stored.get((plan.files[path].bytes, _md5(plan.folder / path)))):
            copies[path] = remote
    return copies


def _report_work(
    plan: PushPlan, bucket: Bucket, missing: Collection[str], stale: Iterable[str], copies: Collection[str], would: str, report: Report
) -> None:
    """Report what the push does, or would do."""
    target = bucket.object_key(plan.path)
    if sent := [path for path in missing if path not in copies]:
        report(f"{would}send {len(sent)} of {len(plan.files)} files, {sum(plan.files[path].bytes for path in sent)} bytes, to {target}")
    if copies:
        report(f"{would}copy {len(copies)} files of an earlier release to {target}, within the bucket")
    for name in stale:
        report(f"{would}write {bucket.object_key(name)}")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _with_position(error: PushError, position: str) -> PushError:
    """Return the error with how far the push came."""
    return PushError(f"{error} ({position}; the same command continues from here)")


class _Store:
    """The objects of a bucket below its prefix. Paths are relative to the prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        with self._errors("connect"):
            self.client = _client(bucket)

    def for_each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return the results of `work` for all items, over several connections at once.

        After a failure nothing more is begun. What was begun is finished, and the failure is raised.
        """
        with ThreadPoolExecutor(self.bucket.jobs) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                for future in as_completed(futures):
                    future.result()
            finally:
                pool.shutdown(cancel_futures=True)
        return [future.result() for future in futures]

    def objects(self, folder: str, *, deep: bool = True) -> dict[str, StoredObject]:
        """Return the objects in a folder by path, and if `deep`, also those in its subfolders."""
        start = len(self.bucket.object_key(""))
        items = (item for page in self._pages(folder, deep=deep) for item in page.get("Contents", []))
        stored = (StoredObject(item["Key"][start:], item["Size"], item.get("ETag", "").strip('"')) for item in items)
        return {object_.path: object_ for object_ in stored}

    def folders(self, folder: str) -> frozenset[str]:
        """Return the names of the folders in a folder."""
        prefixes = (item["Prefix"] for page in self._pages(folder, deep=False) for item in page.get("CommonPrefixes", []))
        return frozenset(prefix.rstrip("/").rpartition("/")[2] for prefix in prefixes)

    def _pages(self, folder: str, *, deep: bool) -> Iterator[Mapping[str, Any]]:
        with self._errors("list"):
            yield from self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket.name, Prefix=self.bucket.object_key(folder), **({} if deep else {"Delimiter": "/"})
            )

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
                **self._attributes(path, facts, caching), Body=body, ContentLength=facts.bytes,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(facts.sha256)).decode(),
            )  # fmt: skip
        if _hex(response.get("ChecksumSHA256")) not in (facts.sha256, None):
            raise PushError(f"{self.bucket}: {path} was damaged on the way to the store")

    def copy(self, source: StoredObject, path: str, facts: FileFacts, caching: str) -> bool:
        """Write an object with the bytes of another one. Return whether the store did so; if not, the bytes have to be sent."""
        from botocore.exceptions import ClientError

        with self._errors("copy"):
            try:
                response = self.client.copy_object(
                    **self._attributes(path, facts, caching), MetadataDirective="REPLACE", ChecksumAlgorithm="SHA256",
                    CopySource={"Bucket": self.bucket.name, "Key": self.bucket.object_key(source.path)}, CopySourceIfMatch=source.etag,
                )  # fmt: skip
            except ClientError:  # such as one for a store that cannot copy, or an object that has changed
                return False
        return bool(response.get("CopyObjectResult", {}).get("ETag", "").strip('"') == source.etag)

    def _attributes(self, path: str, facts: FileFacts, caching: str) -> dict[str, Any]:
        """Return name and metadata of an object that is written."""
        return {
            "Bucket": self.bucket.name,
            "Key": self.bucket.object_key(path),
            "ContentType": media_types.media_type(Path(path).name),
            "CacheControl": caching,
            "Metadata": {CHECKSUM: facts.sha256},
        }

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        """Turn errors of the library into readable ones without credentials."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            yield
        except ParamValidationError:
            raise UsageError(f"--bucket {self.bucket.name}: expected the name of a bucket") from None
        except ClientError as error:
            raise PushError(f"{self.bucket}: could not {verb}: {self._safe(_reason(error.response))}{_advice(error.response)}") from None
        except BotoCoreError as error:
            cause = str(error).removesuffix(": None") or type(error).__name__
            raise PushError(f"{self.bucket}: could not {verb}: {self._safe(cause)}") from None
        except ValueError as error:
            raise UsageError(f"--bucket or --endpoint: {self._safe(str(error))}") from None

    def _safe(self, text: str) -> str:
        return " ".join(text.replace(self.bucket.secret, "***").replace(self.bucket.key, "***").split())


def _client(bucket: Bucket) -> Any:
    """Return a client that reads no configuration of its own."""
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
        max_pool_connections=bucket.jobs,
        connect_timeout=15,
        read_timeout=300,
    )
    return session.Session(session_vars=variables).create_client(
        "s3", region_name=bucket.region, endpoint_url=bucket.endpoint, config=config,
        aws_access_key_id=bucket.key, aws_secret_access_key=bucket.secret,
    )  # fmt: skip


def _hex(checksum: str | None) -> str | None:
    """Return a checksum from S3 in hexadecimal digits; None if there is none for the whole object."""
    return base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None


def _reason(response: Mapping[str, Any]) -> str:
    """Return why the store refused. Stores leave out the message, or the code, or the whole body, as in an answer to HEAD."""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code, message = response["Error"].get("Code"), response["Error"].get("Message")
    return f"{code or status or 'no reason given'} {message or _phrase(status)}".strip()


def _phrase(status: int | None) -> str:
    try:
        return f"({status} {HTTPStatus(status or 0).phrase})"
    except ValueError:
        return ""


def _advice(response: Mapping[str, Any]) -> str:
    code = str(response["Error"].get("Code"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in ("NoSuchBucket", "404"):
        return "; create the bucket first"
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied") or status in (401, 403):
        return "; check that the credentials are right and may list, read and write this bucket"
    return ""

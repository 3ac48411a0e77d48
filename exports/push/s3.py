"""A release into a bucket of an object store that speaks S3: under the names that it has in `public`, the pointer last.

An object of a release is there for ever and says so; those beside the releases are asked for anew each time. Every object carries its
SHA-256, which the store checks on arrival, and which says at the next push that nothing is missing. The environment, files and proxies
that the library would look into by itself are shut off: what holds are the options of the command.
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
from exports.push.push_plan import Outgoing, PushError, RefusedError

LARGEST = 5 * 1024**3  # bytes of an object that is sent in one piece
NOTE = "sha256"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Bucket:
    """Where objects go: `prefix` without slashes at its ends, `endpoint` None for the store of AWS; `key` and `secret` are credentials."""

    name: str
    prefix: str
    endpoint: str | None
    region: str
    key: str
    secret: str
    tries: int = 6

    def at(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


def push(out: Outgoing, bucket: Bucket, tell: Tell, *, dry_run: bool = False) -> int:
    """Make the bucket hold the release, and what lies beside the releases; return how many objects were, or would be, written.

    Raises RefusedError where an object would be too large or the bucket's address is none, PushError where the store refuses or fails, or
    holds another release of that name.
    """
    if large := [path for path, facts in out.files.items() if facts.bytes > LARGEST]:
        raise RefusedError(f"{large[0]} has more than {LARGEST} bytes, which is more than is sent in one piece")
    store = _Store(bucket)
    there = store.sizes(out.place)
    sums = out.files[checksums.NAME]
    if checksums.NAME in there and store.checksum(out.place + checksums.NAME) not in (sums.sha256, None):
        raise PushError(f"{bucket} has another release {out.version}; one prefix takes the releases of one home only")
    missing = [path for path, facts in out.files.items() if there.get(path) != facts.bytes or _differs(store, out, path)]
    # the list of checksums comes last: where it is, all that it lists is
    missing.sort(key=lambda path: path == checksums.NAME)
    stale = [name for name, content in out.around.items() if store.checksum(name) != checksums.facts_of(content).sha256]
    verb = "would " if dry_run else ""
    if missing:
        size = sum(out.files[path].bytes for path in missing)
        tell(f"{verb}send {len(missing)} of {len(out.files)} files, {size} bytes, to {bucket.at(out.place)}")
    for name in stale:
        tell(f"{verb}write {bucket.at(name)}")
    if dry_run:
        return len(missing) + len(stale)
    for number, path in enumerate(missing):
        with _told(f"{number} of {len(missing)} files that were missing are there"), out.still_sound(path).open("rb") as file:
            store.put(out.place + path, file, out.files[path], media_types.FOR_EVER)
    out.still_current()
    for name in stale:
        with _told(f"the release is there, {name} is not"):
            store.put(name, out.around[name], checksums.facts_of(out.around[name]), media_types.ALWAYS_ASK)
    return len(missing) + len(stale)


def _differs(store: _Store, out: Outgoing, path: str) -> bool:
    return store.checksum(out.place + path) != out.files[path].sha256


@contextmanager
def _told(so_far: str) -> Iterator[None]:
    """Say how far the push came, where it stops."""
    try:
        yield
    except PushError as error:
        raise PushError(f"{error} ({so_far}; the same command goes on from there)") from None


class _Store:
    """The objects of a bucket below its prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        with self._failing("connect"):
            self.client = _client(bucket)

    def sizes(self, place: str) -> dict[str, int]:
        """Return the sizes of all objects in a folder by their path in it."""
        prefix = self.bucket.at(place)
        with self._failing("list"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket.name, Prefix=prefix)
            return {item["Key"].removeprefix(prefix): item["Size"] for page in pages for item in page.get("Contents", [])}

    def checksum(self, path: str) -> str | None:
        """Return the SHA-256 that an object carries; None where there is no such object, or it carries none."""
        from botocore.exceptions import ClientError

        with self._failing("look at"):
            try:
                found = self.client.head_object(Bucket=self.bucket.name, Key=self.bucket.at(path), ChecksumMode="ENABLED")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise
        noted: str | None = found.get("Metadata", {}).get(NOTE)
        return noted or _hex(found.get("ChecksumSHA256"))

    def put(self, path: str, body: IO[bytes] | bytes, facts: FileFacts, caching: str) -> None:
        """Put an object, whole and with the bytes that `facts` are of, or not at all."""
        with self._failing("put"):
            answer = self.client.put_object(
                Bucket=self.bucket.name, Key=self.bucket.at(path), Body=body, ContentLength=facts.bytes,
                ContentType=media_types.media_type(Path(path).name), CacheControl=caching, Metadata={NOTE: facts.sha256},
                ChecksumSHA256=base64.b64encode(bytes.fromhex(facts.sha256)).decode(),
            )  # fmt: skip
        if _hex(answer.get("ChecksumSHA256")) not in (facts.sha256, None):
            raise PushError(f"{self.bucket}: {path} did not arrive as it was sent")

    @contextmanager
    def _failing(self, verb: str) -> Iterator[None]:
        """Turn what the library raises into a line for the person who must act, without credentials."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            yield
        except ParamValidationError:
            raise RefusedError(f"--bucket {self.bucket.name}: is no name of a bucket") from None
        except ClientError as error:
            code, said = error.response["Error"].get("Code", "?"), error.response["Error"].get("Message", "")
            raise PushError(f"{self.bucket}: may not {verb}: {self._safe(f'{code} {said}'.strip())}{_advice(code)}") from None
        except BotoCoreError as error:
            raise PushError(f"{self.bucket}: could not {verb}: {self._safe(str(error))}") from None
        except ValueError as error:
            raise RefusedError(f"--bucket or --endpoint: {self._safe(str(error))}") from None

    def _safe(self, text: str) -> str:
        return " ".join(text.replace(self.bucket.secret, "***").replace(self.bucket.key, "***").split())


def _client(bucket: Bucket) -> Any:
    """Return a client that knows only what it is told here."""
    import boto3
    from botocore import configprovider, session
    from botocore.config import Config

    quiet = {name: (None, None, default, kind) for name, (_, _, default, kind) in configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    quiet |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    config = Config(
        retries={"mode": "standard", "total_max_attempts": bucket.tries},
        s3={"addressing_style": "path" if bucket.endpoint else "auto", "payload_signing_enabled": True},
        proxies={},
        ignore_configured_endpoint_urls=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=15,
        read_timeout=300,
    )
    return boto3.Session(botocore_session=session.Session(session_vars=quiet)).client(
        "s3", region_name=bucket.region, endpoint_url=bucket.endpoint, config=config,
        aws_access_key_id=bucket.key, aws_secret_access_key=bucket.secret,
    )  # fmt: skip


def _hex(checksum: str | None) -> str | None:
    """Return a checksum of S3 in hexadecimal digits; None where there is none of the whole object."""
    return base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None


def _advice(code: str) -> str:
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "401"):
        return "; see whether the credentials are right and may list, read and write this bucket"
    if code in ("NoSuchBucket", "404"):
        return "; make the bucket first"
    return ""

"""The `fetch` block of a source: where its bytes come from and what they must look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import product
from math import prod
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.core.yaml import Text, plain
from pipelines.packs.schema.base import Block, Identifier

_HEADER_NAME, _HEADER_TEXT = re.compile(r"[A-Za-z0-9_-]+"), re.compile(r"[ -~]*")
MAX_PARTS = 10_000
"""Snapshots of a source. The largest pack has some dozens."""


def part_name(variables: Iterable[str], values: Iterable[str]) -> str:
    """Return the name of the part in which the variables have these values."""
    return ",".join(f"{name}={value}" for name, value in zip(variables, values, strict=True))


class Expect(Block):
    """Conditions that a snapshot must meet. Only `rows_change` has a default."""

    media_type: Text | None = Field(None, description="Media type that the server must send.")
    min_bytes: int | None = Field(None, ge=0, le=10**12, description="Smallest acceptable size in bytes.")
    size_change: float | None = Field(None, ge=0, description="Largest acceptable change of size, relative to the last snapshot.")
    rows_change: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Largest acceptable loss of rows, of accepted rows, of values of a measure that an indicator reads, and of entries that a "
        "count selects, relative to the last good snapshot of the same part. Gains do not count, nor does the loss of a single row unless it was "
        "the only one, nor that of fewer than 5 values or counted entries; with 0, any loss counts. Default: 0.5 for observations, 0.3 for all "
        "other lists; a `window` has none.",
    )
    sha256: Text | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Checksum of the only content that is accepted.")


class Auth(Block):
    """Credentials. They stand in environment variables, never in the pack."""

    bearer_env: Text | None = Field(None, pattern=r"^ZPO2_SECRET_[A-Z0-9_]+$", description="Environment variable with a bearer token.")
    header: Text = Field(
        "Authorization",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header in which the token is sent; in any other header it is sent without `Bearer`.",
    )


class Secret(Block):
    """A secret in place of a text. The operator puts it into an environment variable, and lists the hosts that may get it."""

    secret_env: Text = Field(
        pattern=r"^ZPO2_SECRET_[A-Z0-9_]+$",
        description="Environment variable with the secret; it is sent to the hosts in `<variable>_HOSTS`.",
    )


class Push(Block):
    """A CloudEvent that starts the source or brings its records."""

    type: Text = Field(min_length=1, description="Type of the event.")
    carries: Literal["change", "record"] = Field(
        "change",
        description="change: the event announces that the source has changed, and the source is fetched; record: the event's data are a record of "
        "the source, which then has no `url`. The latest event of a `subject` counts; an event without data deletes the record.",
    )


class Catalogue(Block):
    """A list of data sets with the times of their last changes, fetched once for all sources that refer to it."""

    url: Text = Field(pattern=r"^https?://", description="Address of the list.")
    format: Literal["json", "tsv"] = Field("json", description="json, or tab-separated text with a header.")
    records: Text = Field("", description="json: JSON pointer to the list of items.")
    id: Text = Field(description="Key or column with the identifier of an item.")
    changed: Text = Field(description="Key or column with the time of an item's last change.")
    item: Text = Field(description="Identifier of this source's item; may contain variables of `parts`.")


class Paging(Block):
    """How to fetch a response in several pages of JSON. All pages together make one snapshot.

    Places in a page or in the body are JSON pointers. The records of every page are counted, so that missing ones are noticed.
    """

    kind: Literal["page", "offset", "cursor", "link"] = Field(
        description="page, offset: a number increases; cursor: each page has the cursor of the next one; link: each page has the next one's address."
    )
    param: Text | None = Field(None, description="Query parameter for the number or cursor, or, with a leading `/`, its place in `body`.")
    first: int | None = Field(None, ge=0, le=10**12, description="First number; default: 1 for page, 0 for offset.")
    size: int | None = Field(None, ge=1, le=10**9, description="Records per page, sent as `size_param`.")
    size_param: Text | None = Field(None, description="Query parameter for `size`, or its place in `body`.")
    records: Text | None = Field(None, description="Place of the list of records in a page; default: `read.records`.")
    total: Text | None = Field(None, description="Place of the total number of records; it is an error if the pages have fewer.")
    next: Text | None = Field(None, description="Place of the next cursor or address; default for link: the Link header.")
    more: Text | None = Field(None, description="Place of the boolean that says whether there is another page.")
    repeated_page: Literal["refuse", "end"] = Field(
        "refuse", description="What a page with the same records as the page before means: a fault, or the end of the pages."
    )
    repeated_records: Literal["refuse", "accept"] = Field(
        "refuse",
        description="Records that are equal to one on an earlier page: by default they refuse the response, because the pages may have shifted while "
        "they were fetched, unless records repeat within a page, too.",
    )

    @model_validator(mode="after")
    def complete(self) -> Paging:
        if self.kind != "link" and self.param is None:
            raise ValueError(f"kind {self.kind} needs param")
        if self.kind == "cursor" and self.next is None:
            raise ValueError("kind cursor needs next")
        if (self.size is None) != (self.size_param is None):
            raise ValueError("size and size_param go together")
        return self


class Fetch(Block):
    """Where the bytes of a source come from."""

    url: Text = Field(
        description="https, http, or a path relative to the pack (also `${ZPO2_DIR_NAME}/path`); `{variable}` is a variable of `parts`."
    )
    parts: dict[Identifier, list[Text]] | None = Field(
        None, description="Variables and their values; there is one snapshot per combination."
    )
    headers: dict[Text, Text | Secret] = Field(default_factory=dict, description="Request headers, as text or `{secret_env: NAME}`.")
    params: dict[Text, Text | Secret] = Field(default_factory=dict, description="Query parameters, as text or `{secret_env: NAME}`.")
    auth: Auth | None = Field(None, description="Credentials.")
    body: dict[Text, Any] | None = Field(None, description="JSON body; the request is then a POST. Texts may contain `{variable}`.")
    protocol: Literal["file", "ckan", "arcgis", "czso", "eurostat"] = Field(
        "file",
        description="How the address is requested. file: as it is; ckan: `package_show` (then `resource`) or `datastore_search`; arcgis: a layer "
        "of a FeatureServer, or a Hub feed (then `dataset` and `resource`); czso: a data set of the catalogue (then `resource`) or a DataStat "
        "selection; eurostat: an address of the dissemination API, including asynchronous responses (with `split`).",
    )
    paging: Paging | None = Field(None, description="How to fetch a response in pages (protocol file).")
    dataset: Text | None = Field(None, description="arcgis: identifier or title of the data set in a Hub feed.")
    resource: Text | None = Field(None, description="ckan, arcgis, czso: id, name or format of the file to fetch.")
    split: dict[Text, list[Text]] | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="eurostat: a dimension and its values (`time` for periods), requested one by one if the whole is too large.",
    )
    rate: float | None = Field(None, ge=0.001, description="Maximum number of requests per second; default: 10.")
    cadence: Text | None = Field(
        None, description="Cron expression in the pack's time zone: when the source is polled; default: every day at 5."
    )
    expect: Expect | None = Field(None, description="Conditions that a snapshot must meet.")
    push: Push | None = Field(None, description="Event that starts this source, or brings its records.")
    catalogue: Catalogue | None = Field(
        None,
        description="A list of data sets: the source is fetched again only if the time of its item has changed.",
    )
    inbox: bool = Field(False, description="The source has no `url`: somebody puts its files into `inbox/<source>/` of the workspace.")

    @field_validator("body", mode="before")
    @classmethod
    def plain_numbers(cls, value: Any) -> Any:
        return plain(value)

    @model_validator(mode="before")
    @classmethod
    def url_is_optional_for_pushed_and_dropped(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("url") is not None:
            return value
        push = value.get("push")
        pushed = isinstance(push, dict) and push.get("carries") == "record"
        return {**value, "url": ""} if pushed or value.get("inbox") is True else value

    @property
    def secrets(self) -> list[str]:
        """The environment variables of all secrets that the source uses."""
        given = [value.secret_env for value in (*self.headers.values(), *self.params.values()) if isinstance(value, Secret)]
        return [*given, *([self.auth.bearer_env] if self.auth and self.auth.bearer_env else [])]

    @property
    def brings_records(self) -> bool:
        """Whether the records of the source come with pushed events."""
        return self.push is not None and self.push.carries == "record"

    @field_validator("parts")
    @classmethod
    def has_few_parts(cls, parts: dict[str, list[str]] | None) -> dict[str, list[str]] | None:
        if parts is not None and (combinations := prod(len(values) for values in parts.values())) > MAX_PARTS:
            raise ValueError(f"{combinations} combinations, but a source has at most {MAX_PARTS} snapshots")
        for name, values in (parts or {}).items():
            if not values:
                raise ValueError(f"{name}: has no values")
            if repeated := next((value for value, count in Counter(values).items() if count > 1), None):
                raise ValueError(f"{name}: {repeated} is listed twice")
        names = Counter(part_name(parts, values) for values in product(*parts.values())) if parts else Counter()
        if repeated := next((name for name, count in names.items() if count > 1), None):
            raise ValueError(f"two combinations have the name {repeated}: values with commas look like several")
        return parts

    @field_validator("headers")
    @classmethod
    def can_be_sent(cls, headers: dict[str, str | Secret]) -> dict[str, str | Secret]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or (isinstance(value, str) and not _HEADER_TEXT.fullmatch(value)):
                raise ValueError(f"{name}: a header has a name of letters, digits and `-`, and a text of printable ASCII characters")
        return headers

    @model_validator(mode="after")
    def one_way_in(self) -> Fetch:
        if self.url and (self.brings_records or self.inbox):
            raise ValueError("a source with pushed records or an inbox has no url")
        if self.brings_records and (self.inbox or self.parts):
            raise ValueError("a source with pushed records has neither inbox nor parts")
        if not self.url and (self.catalogue or self.cadence):
            raise ValueError("catalogue and cadence need a url")
        return self

    @model_validator(mode="after")
    def one_way_to_ask(self) -> Fetch:
        if self.paging and self.protocol != "file":
            raise ValueError(f"protocol {self.protocol} handles pages by itself; paging is for protocol file")
        for key, protocols in (("dataset", ("arcgis",)), ("resource", ("ckan", "arcgis", "czso")), ("split", ("eurostat",))):
            if getattr(self, key) is not None and self.protocol not in protocols:
                raise ValueError(f"{key} is for protocol {' or '.join(protocols)}")
        remote = self.url.startswith(("http://", "https://"))
        if not remote and (self.paging or self.body is not None or self.protocol != "file"):
            raise ValueError("paging, body and protocol are for http(s) addresses, not for paths")
        return self

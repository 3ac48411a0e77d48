"""The `fetch` block of a source: where its bytes come from and what they must look like."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.core.yaml import Text, plain
from pipelines.packs.schema.base import Block, Identifier


class Expect(Block):
    """What a snapshot must look like. Nothing here has a default."""

    media_type: Text | None = Field(None, description="Media type the server must state.")
    min_bytes: int | None = Field(None, ge=0, description="Smallest acceptable size in bytes.")
    size_change: float | None = Field(None, ge=0, description="Largest acceptable relative change of size against the last snapshot.")
    sha256: Text | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Pinned content: anything else is refused.")


class Auth(Block):
    """Credentials, named by environment variables only."""

    bearer_env: Text | None = Field(None, pattern=r"^ZPO2_SECRET_[A-Z0-9_]+$", description="Variable that holds a bearer token.")
    header: Text = Field(
        "Authorization", pattern=r"^[A-Za-z0-9-]+$", description="Header it is sent in; in any other than this one it is sent as it is."
    )


class Push(Block):
    """A CloudEvent that starts the source."""

    type: Text = Field(min_length=1, description="Type of the event.")
    carries: Literal["change", "record"] = Field(
        "change",
        description="change: the event says that the source has changed, which is then fetched; record: its data are a record of the source, "
        "which has no address then. Of the events of one `subject` the latest counts; one without data takes the record away.",
    )


class Catalogue(Block):
    """A list of many data sets with the time of their last change, asked once for all sources that name it."""

    url: Text = Field(pattern=r"^https?://", description="Address of the list.")
    format: Literal["json", "tsv"] = Field("json", description="json, or text with tabs whose first line names the columns.")
    records: Text = Field("", description="json: place of the list of items, as a JSON pointer.")
    id: Text = Field(description="Key or column of an item's identifier.")
    changed: Text = Field(description="Key or column that tells when an item last changed.")
    item: Text = Field(description="Identifier of the item that stands for this source; the variables of `parts` work in it.")


class Paging(Block):
    """How an answer in pages is asked for. All pages together are one snapshot; pages are JSON.

    Places inside a page or a body are JSON pointers. Every page counts its records, so that none is missing in the end.
    """

    kind: Literal["page", "offset", "cursor", "link"] = Field(
        description="page, offset: a number goes up; cursor: a page names the next one; link: a page holds the address of the next one."
    )
    param: Text | None = Field(None, description="Query parameter that turns the page, or, with a leading `/`, a place in `body`.")
    first: int | None = Field(None, ge=0, description="First number; default 1 for page, 0 for offset.")
    size: int | None = Field(None, ge=1, description="Records of a page, sent as `size_param`.")
    size_param: Text | None = Field(None, description="Query parameter, or place in `body`, of `size`.")
    records: Text | None = Field(None, description="Place of the list of records in a page; default: `read.records`.")
    total: Text | None = Field(None, description="Place of the number of all records; fewer in the pages is an error.")
    next: Text | None = Field(None, description="Place of the next cursor or address; default of link: the Link header.")
    more: Text | None = Field(None, description="Place of the truth value that says whether another page follows.")

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
    """Where the bytes come from."""

    url: Text = Field(
        description="https, http, or a path relative to the pack (also `${ZPO2_DIR_NAME}/path`); `{variable}` is a variable of `parts`."
    )
    parts: dict[Identifier, list[Text]] | None = Field(None, description="Variables and their values; one snapshot for each combination.")
    headers: dict[Text, Text] = Field(default_factory=dict, description="Request headers.")
    params: dict[Text, Text] = Field(default_factory=dict, description="Query parameters.")
    auth: Auth | None = Field(None, description="Credentials.")
    body: dict[Text, Any] | None = Field(None, description="JSON body; makes the request a POST. `{variable}` works in its texts.")
    protocol: Literal["file", "ckan", "arcgis", "czso", "eurostat"] = Field(
        "file",
        description="How the address is asked. file: as it stands; ckan: `package_show` (then `resource`) or `datastore_search`; arcgis: a layer "
        "of a FeatureServer, or a Hub feed (then `dataset` and `resource`); czso: a data set of the catalogue (then `resource`) or a DataStat "
        "selection; eurostat: an address of the dissemination API, asynchronous answers included (with `split`).",
    )
    paging: Paging | None = Field(None, description="How further pages are asked for (protocol file).")
    dataset: Text | None = Field(None, description="arcgis: identifier or title of the data set in a Hub feed.")
    resource: Text | None = Field(None, description="ckan, arcgis, czso: id, name or format of the one file that is meant.")
    split: dict[Text, list[Text]] | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="eurostat: a dimension and its values (`time` for periods): asked for one by one when the whole is too big.",
    )
    rate: float | None = Field(None, gt=0, description="Most requests a second; default 10.")
    cadence: Text | None = Field(
        None, description="Cron expression in the pack's time zone: when the sensor looks; default every day at 5."
    )
    expect: Expect | None = Field(None, description="What the bytes must look like.")
    push: Push | None = Field(None, description="Event that starts this source, or brings its records.")
    catalogue: Catalogue | None = Field(
        None,
        description="List that tells whether the source has changed: it is fetched again only when its item has another time of change.",
    )
    inbox: bool = Field(False, description="The source has no address: its files are dropped into the home's `inbox/<source>/`.")

    @field_validator("body", mode="before")
    @classmethod
    def plain_numbers(cls, value: Any) -> Any:
        return plain(value)

    @model_validator(mode="before")
    @classmethod
    def some_have_no_address(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("url") is not None:
            return value
        push = value.get("push")
        brought = isinstance(push, dict) and push.get("carries") == "record"
        return {**value, "url": ""} if brought or value.get("inbox") is True else value

    @property
    def brings_records(self) -> bool:
        """Whether the source consists of records that pushed events carry."""
        return self.push is not None and self.push.carries == "record"

    @model_validator(mode="after")
    def one_way_in(self) -> Fetch:
        if self.url and (self.brings_records or self.inbox):
            raise ValueError("a source whose records are pushed, or whose files are dropped, has no url")
        if self.brings_records and (self.inbox or self.parts):
            raise ValueError("a source whose records are pushed has neither inbox nor parts")
        if not self.url and (self.catalogue or self.cadence):
            raise ValueError("catalogue and cadence are for a source with an url")
        return self

    @model_validator(mode="after")
    def one_way_to_ask(self) -> Fetch:
        if self.paging and self.protocol != "file":
            raise ValueError(f"protocol {self.protocol} turns pages by itself; paging is for protocol file")
        for key, protocols in (("dataset", ("arcgis",)), ("resource", ("ckan", "arcgis", "czso")), ("split", ("eurostat",))):
            if getattr(self, key) is not None and self.protocol not in protocols:
                raise ValueError(f"{key} is for protocol {' or '.join(protocols)}")
        remote = self.url.startswith(("http://", "https://"))
        if not remote and (self.paging or self.body is not None or self.protocol != "file"):
            raise ValueError("paging, body and protocols are for addresses, not for paths")
        return self

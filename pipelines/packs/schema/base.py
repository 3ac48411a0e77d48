"""The types that the blocks of a pack share: identifiers, texts, periods, and the base class of all blocks."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.core.vocabulary import first_day
from pipelines.core.yaml import Text

ID = r"[A-Za-z][A-Za-z0-9_]{0,99}"
"""At most 100 characters, because identifiers become names of files and columns."""
Identifier = Annotated[Text, Field(pattern=rf"^{ID}$")]
Language = Annotated[Text, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
"""A BCP 47 tag such as `cs` or `pt-BR`."""
ColumnName = Annotated[Text, Field(min_length=1, pattern=r"^([^_]|_[^_]|_$)")]
"""A column of a file: any text that does not begin with `__`, which marks internal columns."""


def _is_period(value: str) -> str:
    if first_day(value) is None:
        raise ValueError("expected a period: a year, a quarter (2021-Q3), a month (2021-07) or a day")
    return value


Period = Annotated[Text, AfterValidator(_is_period)]


def _texts(value: Any) -> Any:
    """Return texts by language. A single text is in the pack's first language and has the empty key, because the language is not known yet."""
    if isinstance(value, dict) or value is None:
        return value
    return {"": value}


Texts = Annotated[dict[str, Text], BeforeValidator(_texts)]


class Block(BaseModel):
    """A block of YAML. Unknown keys and wrong types are errors; a key with `null` counts as left out."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def null_is_not_given(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = set(cls.model_fields) | {f.alias for f in cls.model_fields.values() if f.alias}
        return {k: v for k, v in value.items() if v is not None or k not in names}


def _is_owner(value: str) -> str:
    if not _OWNER.fullmatch(value):
        raise ValueError("expected an e-mail address, or `team:` and a name of letters, digits, `_` and `-`")
    return value


def _is_tag(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not _TAG_NAME.fullmatch(name) or not _TAG_TEXT.fullmatch(text):
            raise ValueError(f"{name}: names and texts of tags have up to 63 letters, digits, `_`, `-` and `.`")
    return value


_OWNER = re.compile(r"team:[A-Za-z0-9_-]+|[^@\s:]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TAG_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_TAG_TEXT = re.compile(r"[A-Za-z0-9._-]{0,63}")
Owner = Annotated[Text, AfterValidator(_is_owner)]
Tags = Annotated[dict[Text, Text], AfterValidator(_is_tag)]


def one_or_more(value: Any) -> Any:
    """Return a list: `value` itself, or a list of it alone."""
    return value if isinstance(value, list) else [value]

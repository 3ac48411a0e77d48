"""State files: small JSON files of a workspace, each with one typed model, one reader and one writer."""

from __future__ import annotations

from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipelines.core import atomic
from pipelines.core.errors import Zpo2Error

T = TypeVar("T")


class StateError(Zpo2Error):
    """A state file cannot be read."""


class StateFile(BaseModel):
    """A model that is kept as one JSON file. Keys of later versions are ignored; keys that earlier versions lacked have defaults."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return the content of `path`, None where there is no such file. Raises StateError."""
        return load_state(path, TypeAdapter(cls))

    def save(self, path: Path) -> None:
        """Replace `path` with the content of the model."""
        save_state(path, TypeAdapter(type(self)), self)


def load_state(path: Path, adapter: TypeAdapter[T]) -> T | None:
    """Return the content of `path`, None where there is no such file. Raises StateError.

    For files whose keys are not fixed, such as one key per source. Others are a StateFile.
    """
    try:
        return adapter.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"]) or "the file"
        raise StateError(f"{path}: cannot be read ({place}: {first['msg']}); restore it from a backup") from None


def save_state(path: Path, adapter: TypeAdapter[T], value: T) -> None:
    """Replace `path` with `value`."""
    atomic.write_json(path, adapter.dump_python(value, mode="json"))

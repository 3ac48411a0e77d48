"""State files: small JSON files of a workspace, each with one typed model, one reader and one writer.

A file that cannot be read is reported as damaged, with what restores it. Files that can be made again are, by the next run (`runs.repair`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipelines.core import atomic
from pipelines.core.errors import Zpo2Error

T = TypeVar("T")

NEXT_RUN = "the next run makes it again: zpo2 run"
log = logging.getLogger("zpo2.state")
"""What was damaged and made again. The command prints these messages, too."""


class StateError(Zpo2Error):
    """A state file cannot be read."""


class StateFile(BaseModel):
    """A model that is kept as one JSON file. Keys of later versions are ignored; keys that earlier versions lacked have defaults.

    `CURE` says what restores a damaged file; without one, it is restored from a backup.
    """

    model_config = ConfigDict(extra="ignore")
    CURE: ClassVar[str] = ""

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return the content of `path`, None where there is no such file. Raises StateError."""
        return load_state(path, TypeAdapter(cls), cls.CURE)

    @classmethod
    def load_if_whole(cls, path: Path) -> Self | None:
        """Return the content of `path`, None where there is no such file or where it is damaged, which is reported."""
        try:
            return cls.load(path)
        except StateError as error:
            log.warning(str(error))
            return None

    def save(self, path: Path) -> None:
        """Replace `path` with the content of the model."""
        save_state(path, TypeAdapter(type(self)), self)


def load_state(path: Path, adapter: TypeAdapter[T], cure: str = "") -> T | None:
    """Return the content of `path`, None where there is no such file. Raises StateError, which names the `cure`.

    For files whose keys are not fixed, such as one key per source. Others are a StateFile.
    """
    try:
        return adapter.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"]) or "the file"
        raise damaged(path, f"{place}: {first['msg']}", cure) from None
    except OSError as error:
        raise damaged(path, error.strerror or str(error), cure) from None


def save_state(path: Path, adapter: TypeAdapter[T], value: T) -> None:
    """Replace `path` with `value`."""
    atomic.write_json(path, adapter.dump_python(value, mode="json"))


def damaged(path: Path, reason: str, cure: str = "") -> StateError:
    """Return the error of a damaged file, with the command that restores it from the backup of docs/operations.md where there is no `cure`."""
    cure = cure or f"restore it from a backup: tar -C {path.parent} -xf backup/state.tar ./{path.name}"
    return StateError(f"{path}: damaged ({reason}); {cure}")

"""State files: small JSON files of a workspace, each with one typed model, one reader and one writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.core import atomic
from pipelines.core.errors import Zpo2Error


class StateError(Zpo2Error):
    """A state file cannot be read."""


class StateFile(BaseModel):
    """A model that is kept as one JSON file. Keys of later versions are ignored; keys that earlier versions lacked have defaults."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return the content of `path`, None where there is no such file. Raises StateError."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors()[0]
            place = "/".join(str(part) for part in first["loc"]) or "the file"
            raise StateError(f"{path}: cannot be read ({place}: {first['msg']}); restore it from a backup") from None

    def save(self, path: Path) -> None:
        """Replace `path` with the content of the model."""
        atomic.write_json(path, json.loads(self.model_dump_json()))

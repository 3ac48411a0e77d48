"""Stand-ins for modules that a library imports for parts of it that nobody here uses, and that take seconds to import."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def stand_ins(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Let what is imported inside get `modules` in place of modules that are not imported yet; None makes their import fail.

    Whoever imports these modules later gets the real ones.
    """
    added = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(added)  # type: ignore[arg-type]  # None is what Python itself provides for
    try:
        yield
    finally:
        for name, module in added.items():
            if name in sys.modules and sys.modules[name] is module:
                del sys.modules[name]


class Empty(ModuleType):
    """A module whose names are None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class ImportedWhenUsed(ModuleType):
    """A module that is imported when one of its names is first used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)

"""Packs: one territory's declarations. `load` reads and checks one; everything else works on what it returns.

`models` are the blocks of its YAML, `references` is what one block says about another, `pack` what comes out.
"""

from pipelines.packs.loading import load
from pipelines.packs.pack import Pack, Part, digest

__all__ = ["Pack", "Part", "digest", "load"]

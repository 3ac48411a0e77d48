"""Packs: the declarations of one territory. `load` reads and checks a pack; everything else works on the `Pack` that it returns.

`schema` has the blocks of the YAML files, `references` checks what one block says about another, `pack` is the result.
"""

from pipelines.packs.loading import load
from pipelines.packs.pack import Pack, Part

__all__ = ["Pack", "Part", "load"]

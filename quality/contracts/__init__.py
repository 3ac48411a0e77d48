"""The contract of a source's rows: `rules` has the rule of a column, `cell_types` the parsing of text, `cells` and `rows` the findings."""

from quality.contracts.checking import MASK, Checked, check, masked_values
from quality.contracts.rules import ColumnRule

__all__ = ["MASK", "Checked", "ColumnRule", "check", "masked_values"]

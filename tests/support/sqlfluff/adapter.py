"""What sqlfluff calls as `adapter` in the macros of the dbt project: every macro with a variant for each engine has the one for DuckDB."""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str) -> Any:
    """Return the macro `name` for DuckDB, as dbt's adapter does."""
    return context[f"default__{name}"]

"""Validates the SQL expressions of a pack. Nothing is run here.

DuckDB itself parses an expression, so that the validated text is what the sandbox runs. An expression must be one scalar expression over
declared columns: no subquery, no table, no setting, and no function outside of the published list.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from pipelines.core.errors import ExitCode, Zpo2Error
from pipelines.core.sql import literal

OPERATORS = frozenset(
    {"+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*", "like_escape", "not_like_escape",
     "ilike_escape", "not_ilike_escape", "regexp_full_match"}
)  # fmt: skip
FUNCTIONS = frozenset(
    {"abs", "ceil", "ceiling", "floor", "round", "trunc", "sign", "ln", "log10", "exp", "sqrt", "power", "pow", "mod",
     "greatest", "least", "nullif", "ifnull", "coalesce",
     "lower", "upper", "trim", "ltrim", "rtrim", "substr", "substring", "left", "right", "length", "len", "lpad", "rpad",
     "replace", "split_part", "concat", "concat_ws", "contains", "starts_with", "prefix", "suffix", "ends_with", "strpos", "instr",
     "reverse", "translate", "strip_accents", "regexp_full_match", "regexp_matches", "regexp_extract", "regexp_replace",
     "year", "month", "day", "quarter", "date_part", "strptime", "try_strptime", "strftime", "make_date", "date_trunc",
     "date_diff", "datediff", "last_day", "isfinite", "isnan"}
)  # fmt: skip
AGGREGATES = frozenset({"count", "count_star", "sum", "min", "max", "avg"})
TYPES = frozenset(
    {"VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIMESTAMP"}
)
_SHAPES = {"CONSTANT", "COLUMN_REF", "FUNCTION", "CASE", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN", "CAST"}
_OPERATOR_TYPES = {
    "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_NULLIF",
}  # fmt: skip
_REPLACING = {"replace", "regexp_replace"}
_PADDING = {"lpad", "rpad"}
_JOINING = {"concat", "concat_ws", "||"}
_LONGEST_OF_FORMAT = 15
"""Characters that one character of the format of a date can become, such as half of `%c`."""
MAX_LENGTH = 10_000
"""Characters of an expression."""
MAX_PADDED = 1_000
MAX_GROWTH = 1_000
MAX_JOINED = 10_000
"""Characters that joined and formatted texts may have, where each cell has one."""
_EMPTY = ("where_clause", "having", "qualify", "sample", "group_expressions", "modifiers")


class ExpressionError(Zpo2Error):
    """An expression is not one that a pack may use, or it failed while it ran."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class Parsed:
    """The columns that an expression names, and whether it has an aggregate."""

    columns: frozenset[str]
    aggregate: bool


_parser_lock = threading.Lock()


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"enable_external_access": "false", "threads": "1"})


@lru_cache(maxsize=4096)
def parse(expression: str) -> Parsed:
    """Return the columns that `expression` names. Raises ExpressionError unless it is one scalar expression."""
    columns: set[str] = set()
    root = _select(expression)["statements"][0]["node"]["select_list"][0]
    aggregate = _walk(root, columns, False)
    if _growth(root) > MAX_JOINED:
        raise ExpressionError(f"it can make texts of more than {MAX_JOINED} characters where each cell has one")
    return Parsed(frozenset(columns), aggregate)


@lru_cache(maxsize=4096)
def strict(expression: str) -> str | None:
    """Return `expression` so that it fails on a text that it gives null for: without `try_`. None where it has none."""
    parse(expression)
    tree = _select(expression)
    strict_tree = _without_try(tree)
    return None if strict_tree == tree else _text(strict_tree)


@lru_cache(maxsize=4096)
def conditions(expression: str) -> tuple[str, ...]:
    """Return the conditions that all have to be met for `expression` to be true: the parts that `and` joins."""
    parse(expression)
    tree = _select(expression)
    items = tree["statements"][0]["node"]["select_list"]
    waiting, texts = [items[0]], []
    while waiting:
        node = waiting.pop(0)
        if node["class"] == "CONJUNCTION" and node["type"] == "CONJUNCTION_AND":
            waiting = [*node["children"], *waiting]
        else:
            items[0] = node
            texts.append(_text(tree))
    return tuple(texts)


def _text(tree: dict[str, Any]) -> str:
    """Return the expression of a statement that `_select` gives."""
    with _parser_lock:
        row = _parser().execute(f"select json_deserialize_sql({literal(json.dumps(tree))})").fetchone()
    return str(row[0]).removeprefix("SELECT ") if row else ""


def _select(expression: str) -> dict[str, Any]:
    """Return what DuckDB parses `select <expression>` to. Raises ExpressionError unless it selects one scalar expression."""
    statement = f"select\n{expression}\n"
    if len(statement) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters, this one has {len(expression)}")
    with _parser_lock:
        # a literal, not a parameter: to bind one, DuckDB imports pandas
        try:
            row = _parser().execute(f"select json_serialize_sql({literal(statement)})").fetchone()
        except duckdb.Error:  # a NUL ends the literal
            raise ExpressionError("not an expression: it has a control character") from None
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise ExpressionError(f"not an expression: {tree.get('error_message', '')}".strip().splitlines()[0])
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    items = node.get("select_list") or []
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(items) == 1
        and not items[0].get("alias")
        and node.get("from_table", {}).get("type") == "EMPTY"
        and not any(node.get(key) for key in _EMPTY)
        and not node.get("cte_map", {}).get("map")
    )
    if not plain:
        raise ExpressionError("expected one scalar expression, without select, from or ;")
    return tree


def _without_try(node: Any) -> Any:
    """Return a part of a parsed statement with cast in place of try_cast, and strptime in place of try_strptime."""
    if isinstance(node, list):
        return [_without_try(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _without_try(value) for key, value in node.items()}
    if node.get("class") == "CAST":
        node["try_cast"] = False
    elif node.get("class") == "FUNCTION" and str(node["function_name"]).lower() == "try_strptime":
        node["function_name"] = "strptime"
    return node


def _walk(node: Any, columns: set[str], inside_aggregate: bool) -> bool:
    """Add the column names in `node` to `columns`; return whether it contains an aggregate."""
    if isinstance(node, list):
        return any(_walk(item, columns, inside_aggregate) for item in node)
    if not isinstance(node, dict):
        return False
    shape = node.get("class")
    if shape is None:
        return any(_walk(item, columns, inside_aggregate) for item in node.values())
    if shape not in _SHAPES:
        raise ExpressionError(f"{shape.lower().replace('_', ' ')} is not allowed in an expression")
    if shape == "CONSTANT":
        return False
    if shape == "COLUMN_REF":
        names = node["column_names"]
        if len(names) != 1:
            raise ExpressionError(f"{'.'.join(names)}: expected a plain column name")
        columns.add(names[0])
        return False
    if shape == "OPERATOR" and node["type"] not in _OPERATOR_TYPES:
        raise ExpressionError(f"{node['type'].lower()} is not allowed in an expression")
    if shape == "CAST" and node["cast_type"]["id"] not in TYPES:
        raise ExpressionError(f"cast to {node['cast_type']['id'].lower()} is not allowed")
    is_aggregate = False
    if shape == "FUNCTION":
        is_aggregate = _check_function(node, inside_aggregate)
    rest = [value for key, value in node.items() if key not in ("class", "cast_type")]
    return any(_walk(value, columns, inside_aggregate or is_aggregate) for value in rest) or is_aggregate


def _check_function(node: dict[str, Any], inside_aggregate: bool) -> bool:
    name = str(node["function_name"]).lower()
    if node.get("catalog") or (node.get("schema") or "main") != "main":
        raise ExpressionError(f"{name}: a schema before a function is not allowed")
    if node.get("distinct") and name not in AGGREGATES:
        raise ExpressionError(f"{name}: distinct is not allowed here")
    _assert_bounded(name, node)
    if name in AGGREGATES:
        if inside_aggregate:
            raise ExpressionError(f"{name}: an aggregate is not allowed inside an aggregate")
        return True
    if name not in FUNCTIONS and not (name in OPERATORS and (node.get("is_operator") or name in FUNCTIONS or "escape" in name)):
        raise ExpressionError(f"{name}: is not in the list of functions")
    return False


def _assert_bounded(name: str, node: dict[str, Any]) -> None:
    """Refuse functions that can turn a short text into one of any length: DuckDB cannot interrupt them or limit their memory."""
    children = node.get("children") or []
    if name in _PADDING and len(children) > 1:
        length = _constant(children[1])
        if not isinstance(length, int) or length > MAX_PADDED:
            raise ExpressionError(f"{name}: expected a number of at most {MAX_PADDED} as the length")
    if name in _REPLACING and len(children) > 2 and not isinstance(_constant(children[2]), str):
        raise ExpressionError(f"{name}: expected a text in quotes as the replacement; one from a column can have any length")
    if name == "strftime" and not any(isinstance(_constant(child), str) for child in children):
        raise ExpressionError("strftime: expected a text in quotes as the format")
    if name in _REPLACING and _growth(node) > MAX_GROWTH:
        raise ExpressionError(f"{name}: nested replacements can make the text more than {MAX_GROWTH} times as long")


def _growth(node: Any) -> int:
    """Return how many characters the text of an expression can have where each cell has one."""
    if isinstance(node, list):
        return max((_growth(item) for item in node), default=1)
    if not isinstance(node, dict):
        return 1
    if isinstance(constant := _constant(node), str):
        return max(1, len(constant))
    inner = max((_growth(value) for value in node.values()), default=1)
    name = str(node["function_name"]).lower() if node.get("class") == "FUNCTION" else ""
    children = node.get("children") or []
    if name in _JOINING:
        between = _growth(children[0]) * max(0, len(children) - 2) if name == "concat_ws" and children else 0
        return sum(_growth(child) for child in children) + between
    if name == "strftime":
        return _LONGEST_OF_FORMAT * max((len(text) for child in children if isinstance(text := _constant(child), str)), default=1)
    if name in _PADDING:
        length = _constant(children[1]) if len(children) > 1 else 1
        return max(inner, length if isinstance(length, int) else MAX_PADDED)
    if name not in _REPLACING or len(children) < 3:
        return inner
    old, new = (str(_constant(child) or "") for child in children[1:3])
    shortest = len(old) if name == "replace" else 1
    return _growth(children[0]) * max(1, -(-len(new) // max(1, shortest)))


def _constant(node: Any) -> Any:
    if isinstance(node, dict) and node.get("class") == "CONSTANT" and not node["value"].get("is_null"):
        return node["value"].get("value")
    return None


def fault(expression: str, columns: Collection[str] | None, *, aggregate: bool = False) -> str | None:
    """Return what is wrong with `expression`, or None. It may use the names in `columns`; None: any, because the file was not read yet."""
    try:
        parsed = parse(expression)
    except ExpressionError as error:
        return str(error)
    if parsed.aggregate and not aggregate:
        return "aggregates are allowed only in the measures of counted sources"
    if aggregate and not parsed.aggregate:
        return "expected an aggregate, such as count(*) or sum(amount)"
    if columns is not None:
        names = {c.lower() for c in columns}
        for name in sorted(parsed.columns):
            if name.lower() not in names:
                return f"{name}: no such column"
    return None

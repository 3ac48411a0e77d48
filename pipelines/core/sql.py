"""Quoting of names and texts in SQL. Statements use literals, because parameters make DuckDB's client import pandas, which takes seconds."""


def identifier(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return `text` as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"

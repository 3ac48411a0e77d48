"""Names and texts inside SQL. Statements are put together from literals: parameters make DuckDB's client import pandas, for seconds."""


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"

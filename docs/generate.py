"""Write the pages that the code knows best: keys of a pack, tables, commands, indicators, hostile input. `--check` names a stale one.

`--coverage RELEASE_DIR` takes the coverage of the page of indicators from a release of packs/cz.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer.main
import yaml
from pydantic import BaseModel

DOCS = Path(__file__).resolve().parent
PROJECT = DOCS.parent
sys.path.insert(0, str(PROJECT))  # the project need not be installed

from docs import indicator_page  # noqa: E402
from exports.changes import published  # noqa: E402
from pipelines.cli import app as cli  # noqa: E402
from pipelines.core.settings import Settings  # noqa: E402
from pipelines.core.yaml import Expression, Text  # noqa: E402
from pipelines.packs import schema as pack_models  # noqa: E402
from pipelines.packs.expressions import AGGREGATES, FUNCTIONS  # noqa: E402
from tests.hostile.document import render as hostile_input  # noqa: E402

NOTE = "<!-- Written by docs/generate.py. Do not edit: change what it is made from and run the script again. -->"
PACK_FORMAT = f"""# The format of a pack

{NOTE}

A pack is a folder: `pack.yml`, `sources/*.yml`, `indicators/*.yml`, `indices/*.yml`, and optionally `snapshots.lock`, which `zpo2 lock`
writes. Every file is YAML 1.2 core, so `no`, `on` and dates are text. Where text is expected, a number counts as the text in which it is
written. A key with `null` counts as left out. An unknown key, a wrong type or a reference to something undeclared is a fault: `zpo2 check`
names the file, the line and the key.

*SQL* is one scalar expression in DuckDB's SQL over the columns of a row, with the functions [at the end](#functions-of-expressions).
*Texts* are one text, or a map from language to text. An *id* has letters, digits and `_`, and begins with a letter.
"""
FUNCTIONS_OF_EXPRESSIONS = f"""## Functions of expressions

Operators: arithmetic, `||`, comparison, `in`, `between`, `like`, `ilike`, `is null`, `and`, `or`, `not`, `case`, `cast`, `try_cast`.
Functions: {", ".join(f"`{n}`" for n in sorted(FUNCTIONS))}.

In the measures of counted sources also {", ".join(f"`{n}`" for n in sorted(AGGREGATES - {"count_star"}))}, with `filter (where ...)`.
"""
TABLES = f"""# The published tables

{NOTE}

Each is in a release as `csv/<table>.csv`, as `parquet/<table>.parquet` and in `indicators.duckdb`. Key columns are marked with `*`; they
are never null, and rows are sorted by them. `indicators` has a title and a description for each language of the pack, and `latest_values`
a column for each indicator.
"""
COMMANDS = f"# Commands\n\n{NOTE}\n\n[Exit codes](../README.md#what-starts-the-work) are in the README.\n"
ROOTS = {
    "pack.yml": pack_models.PackFile, "sources/ID.yml": pack_models.FetchedSource, "sources/ID.yml with from": pack_models.CountedSource,
    "indicators/ID.yml": pack_models.Indicator, "indices/ID.yml": pack_models.Index,
}  # fmt: skip
NAMED: list[tuple[Any, str]] = [
    (Expression, "SQL"), (Text, "text"), (pack_models.Identifier, "id"), (pack_models.ColumnName, "column name"),
    (pack_models.Texts, "texts"), (str, "text"), (int, "whole number"), (float, "number"), (bool, "true or false"), (Any, "anything"),
]  # fmt: skip
BY_NAME = [("`ZPO2_DIR_<NAME>`", "A folder that sources name as `${ZPO2_DIR_<NAME>}/path`.")]
BY_NAME += [
    ("`ZPO2_SECRET_<NAME>`", "A bearer token that a source names in `fetch.auth.bearer_env`."),
    (
        "`ZPO2_SECRET_EVENTS`",
        "The secret of those who push events, as a bearer token or key of signatures; several are separated by blanks.",
    ),
    ("`ZPO2_SECRET_ALERT_URL`", "The webhook that alerts are sent to."),
    ("`ZPO2_SECRET_ALERT_KEY`", "The key that alerts are signed with."),
    ("`ZPO2_SECRET_RELEASE_URL`", "The webhook that is told of releases: published, withdrawn, taken back."),
    ("`ZPO2_SECRET_RELEASE_KEY`", "The key that these announcements are signed with."),
    ("`ZPO2_SECRET_<NAME>_HOSTS`", "Comma-separated hosts to which that secret may be sent."),
]
LIMITS = {"ge": "at least {}", "le": "at most {}", "pattern": "`{}`", "min_length": "{} or more", "max_length": "{} at most"}


def main() -> int:
    if "--coverage" in sys.argv[1:]:
        indicator_page.write_coverage(Path(sys.argv[sys.argv.index("--coverage") + 1]))
    pages = {
        "pack-format.md": pack_format(), "tables.md": tables(), "commands.md": commands(), "hostile-input.md": _noted(hostile_input()),
        "indicators.md": _noted(indicator_page.render(PROJECT / "packs" / "cz")),
    }  # fmt: skip
    stale = [n for n, text in pages.items() if not (DOCS / n).is_file() or (DOCS / n).read_text(encoding="utf-8") != text]
    check = "--check" in sys.argv[1:]
    for name in stale:
        if not check:
            (DOCS / name).write_text(pages[name], encoding="utf-8")
        print(f"docs/{name}: is stale; run docs/generate.py" if check else f"docs/{name}: written")
    return 1 if stale and check else 0


def _noted(page: str) -> str:
    title, _, rest = page.partition("\n")
    return f"{title}\n\n{NOTE}\n{rest}"


def pack_format() -> str:
    """Return the page of every key of a pack, with one section per block."""
    parts = [PACK_FORMAT]
    seen: set[type[BaseModel]] = set()
    for title, model in ROOTS.items():
        parts += [f"## {title}\n\n{_text(model)}\n", _keys(model), *_blocks(model, seen)]
    return "\n".join([*parts, FUNCTIONS_OF_EXPRESSIONS])


def _blocks(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """Yield a section for each block below `model` that is not in `seen`, and add it."""
    hints = get_type_hints(model, include_extras=True)
    children = [(field.alias or name, child) for name, field in model.model_fields.items() for child in _models(hints[name])]
    children += [("map", child) for child in pack_models.MAPS.values() if model is pack_models.FetchedSource]
    for key, child in children:
        if child not in seen:
            seen.add(child)
            yield f"### {child.__name__}\n\nUnder `{key}`. {_text(child)}\n\n{_keys(child)}"
            yield from _blocks(child, seen)


def _text(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _models(hint: Any) -> Iterator[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    for item in get_args(hint):
        yield from _models(item)


def _keys(model: type[BaseModel]) -> str:
    """Return the table of the keys of one block."""
    hints = get_type_hints(model, include_extras=True)
    rows = []
    for name, field in model.model_fields.items():
        limits = [LIMITS[key].format(getattr(m, key)) for m in field.metadata for key in LIMITS if getattr(m, key, None) is not None]
        kind = ", ".join([_type(hints[name]), *(text for text in limits if text != f"`^{pack_models.ID}$`")])
        if model is pack_models.FetchedSource and name == "map":
            kind = " or ".join(f"{_type(m)} (into {into})" for into, m in pack_models.MAPS.items())
        rows.append((f"`{field.alias or name}`", kind, _default(field), field.description or ""))
    return _table(("key", "type", "default", "what it says"), rows)


def _type(hint: Any) -> str:
    if word := next((word for known, word in NAMED if hint == known), ""):
        return word
    origin, inner = get_origin(hint), [a for a in get_args(hint) if a is not type(None)]
    if origin is Annotated:  # a validator that takes a shorter form
        how = {getattr(getattr(m, "func", None), "__name__", "") for m in inner[1:]}
        plain = _type(inner[0])
        if "one_or_more" in how:
            return f"{plain.removeprefix('list of ')}, or a list of them"
        return f"SQL or {plain}" if "_as_measure" in how else plain
    if origin is Literal:
        return " · ".join(f"`{v}`" for v in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(a) for a in inner))
    if origin in (list, dict):
        return f"list of {_type(inner[0])}" if origin is list else f"map of {_type(inner[0])} to {_type(inner[1])}"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def _default(field: Any) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    value = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False).strip().removesuffix("...").strip()
    return "" if value is None else f"`{text}`"


def tables() -> str:
    """Return the page of every published table, from the YAML beside each mart."""
    files = [path.read_text(encoding="utf-8") for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.yml")]
    models = [model for text in files for model in yaml.safe_load(text)["models"]]
    parts = [TABLES]
    for model in sorted([*models, *_made_by_the_release()], key=lambda m: str(m["name"]).removeprefix("mart_")):
        rows = []
        for column in model["columns"]:
            name = f"`{column['name']}`" + ("\\*" if column["name"] in model["config"]["meta"]["key"] else "")
            rows.append((name, column["data_type"], column.get("config", {}).get("meta", {}).get("unit", ""), column["description"]))
        head = f"## {model['name'].removeprefix('mart_')}\n\n{' '.join(model['description'].split())}\n"
        parts += [head, _table(("column", "type", "unit", "what it holds"), rows)]
    return "\n".join(parts)


def _made_by_the_release() -> Iterator[dict[str, Any]]:
    """Yield `changes` and its view in the form of the YAML of a mart."""
    for made, key in ((published.TABLE, published.TABLE.key), *((view, ()) for view in published.VIEWS)):
        columns = [{"name": c.name, "data_type": c.type, "description": c.description} for c in made.columns]
        yield {"name": made.name, "description": made.description, "columns": columns, "config": {"meta": {"key": key}}}


def commands() -> str:
    """Return the page of every command with its arguments and options, and of the environment variables."""
    parts = [COMMANDS]
    for name, command in _every(typer.main.get_command(cli.app)):
        rows = []
        for item in command.params:
            shown = ", ".join([*item.opts, *item.secondary_opts]) if item.param_type_name == "option" else item.name.upper()
            rows.append((f"`{shown}`", "" if item.default in (None, False, []) or item.required else f"`{item.default}`", item.help or ""))
        parts += [f"## zpo2 {name}\n\n{command.help}\n\n    {command.epilog.removeprefix('Example: ')}\n"]
        parts += [_table(("argument or option", "default", "what it says"), rows)]
    variables = [(f"`{f.validation_alias or f'ZPO2_{n.upper()}'}`", f.description or "") for n, f in Settings.model_fields.items()]
    return "\n".join([*parts, "## Environment\n", _table(("variable", "what it says"), [*variables, *BY_NAME])])


def _every(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its name, those of groups by their full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _every(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; what would end a cell or begin a tag is escaped outside of code."""
    lines = [head, ("---",) * len(head), *rows]
    safe = [
        [re.sub(r"`[^`]*`|<", lambda m: "&lt;" if m[0] == "<" else str(m[0]), cell).replace("|", "\\|") for cell in line] for line in lines
    ]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in safe) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())

"""CHANGELOG.md of a release: its tables and rows against those of the release that was current before."""

from __future__ import annotations

from exports.info import Context

PATH = "CHANGELOG.md"


def descriptor(context: Context) -> dict[str, bytes]:
    lines = ["# Changes", "", f"## {context.version} ({context.info.timestamp[:10]})", ""]
    lines += _first(context) if context.previous is None else _against(context)
    return {PATH: ("\n".join(lines) + "\n").encode()}


def _first(context: Context) -> list[str]:
    rows = [f"| `{table.name}` | {context.rows[table.name]} |" for table in context.tables]
    return ["The first release.", "", "| table | rows |", "| --- | ---: |", *rows]


def _against(context: Context) -> list[str]:
    assert context.previous is not None
    before, now = context.previous.rows, context.rows
    lines = [f"Against release {context.previous.version}:", ""]
    added = [name for name in now if name not in before]
    removed = [name for name in before if name not in now]
    lines += [f"* new table `{name}`" for name in added] + [f"* table `{name}` is no longer published" for name in removed]
    lines += [""] if added or removed else []
    lines += ["| table | rows before | rows now | difference |", "| --- | ---: | ---: | ---: |"]
    for name in [*now, *removed]:
        old, new = before.get(name), now.get(name)
        change = f"{(new or 0) - (old or 0):+d}" if old != new else "0"
        lines.append(f"| `{name}` | {'' if old is None else old} | {'' if new is None else new} | {change} |")
    return lines

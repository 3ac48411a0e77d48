"""Reads YAML 1.2 core and remembers the line of every key.

PyYAML parses the syntax. Plain scalars are resolved here, because PyYAML follows YAML 1.1, where `on`, `no` and dates are not text.
Numbers keep the text in which they were written, so that a code such as `0640` survives where text is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator

from pipelines.core.errors import ExitCode, Zpo2Error
from pipelines.core.printable import TURNING, printable

MAX_NODES = 100_000  # no real pack has as many; an alias bomb expands to more
MAX_BYTES = 5_000_000
MAX_DEPTH = 40
"""Collections inside each other. The files of packs have fewer than ten. PyYAML's C loader recurses and would overflow the stack."""
MAX_DIGITS = 100
MAX_KEY, MAX_TEXT = 1_000, 50_000
"""Characters of a key, and of any other text."""
MAX_FAULTS = 100
"""Faults that an error lists."""
MAX_FAULT = 2_000
"""Characters of one of them."""

_TOO_MANY = "too many values, or an alias that contains itself"
_TOO_DEEP = f"more than {MAX_DEPTH} lists and maps inside each other"
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp", "merge", "value")}
"""What PyYAML resolves plain values to."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters but for tab and line ends."""
_TURNING = re.compile(f"[{TURNING}]")
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5}")
"""Five combining marks on a letter: no script needs as many, and they are drawn over the lines above and below (UTS #39, 5.4)."""
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

KeyPath = tuple[str | int, ...]
"""The keys and positions that lead to a value, from the root of a document or of a block."""


class PackError(Zpo2Error):
    """A pack has faults. The message has one line per fault: `file:line: key: fault`."""

    exit_code = ExitCode.WRONG

    def __init__(self, faults: list[str]) -> None:
        self.faults = [printable(_shortened(fault)) for fault in faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            self.faults.append(f"and {len(faults) - MAX_FAULTS} more faults")
        super().__init__("\n".join(self.faults))

    @property
    def lines(self) -> list[str]:
        return self.faults


class YamlInt(int):
    """A whole number with the text in which it was written."""

    text: str


class YamlFloat(float):
    """A real number with the text in which it was written."""

    text: str


def _shortened(fault: str) -> str:
    """Return a fault that is too long without its middle, which is a long text of the pack."""
    return fault if len(fault) <= MAX_FAULT else f"{fault[: MAX_FAULT // 2]}...{fault[-MAX_FAULT // 2 :]}"


@dataclass
class Document:
    """The values of one YAML file, their number, and the line (from 1) of every key and item in it."""

    name: str
    value: Any
    size: int = 0
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, path: KeyPath, message: str) -> str:
        """Return the line that reports a fault: `file:line: key: message`."""
        key = ".".join(str(p) for p in path)
        return f"{self.name}:{self.line(path)}: {key + ': ' if key else ''}{message}"


def load(file: Path, name: str) -> Document:
    """Return the document of `file`. Raises PackError with the line of a syntax error or of a repeated key."""
    text = _read(file, name)
    if turning := _TURNING.search(text):  # comments are read by people, who must see what the software sees
        raise PackError([f"{name}:{text.count(chr(10), 0, turning.start()) + 1}: a file has no {_fault_of(turning[0])}"])
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _assert_bounded(yaml.parse(text, Loader=loader), name)
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PackError([f"{name}:{line}: not YAML: {error.problem or error}"]) from None
    except yaml.YAMLError as error:
        raise PackError([f"{name}:1: not YAML: {str(error).splitlines()[0]}"]) from None
    document = Document(name, None)
    if root is not None:
        builder = _Builder(document)
        document.value, document.size = builder.build(root, ()), builder.nodes
    return document


def _read(file: Path, name: str) -> str:
    """Return the text of a file. Anything but a regular file is refused before it is opened: a pipe would wait for ever."""
    try:
        if not file.is_file():
            raise PackError([f"{name}:1: cannot be read: not a file"])
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PackError([f"{name}:1: cannot be read: more than {MAX_BYTES} bytes"])
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PackError([f"{name}:1: cannot be read: {error}"]) from None


def _assert_bounded(events: Iterable[yaml.Event], name: str) -> None:
    """Refuse a document with too many values or too many collections inside each other, before PyYAML makes a tree of it."""
    depth = nodes = 0
    for event in events:
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise PackError([f"{name}:{line}: {_TOO_MANY if nodes > MAX_NODES else _TOO_DEEP}"])


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0
        self.open: set[int] = set()  # the collections around the current node: an alias to one of them is a loop

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.nodes += 1
        line = node.start_mark.line + 1
        self.document.lines.setdefault(path, line)
        if self.nodes > MAX_NODES or id(node) in self.open:
            raise PackError([f"{self.document.name}:{line}: {_TOO_MANY}"])
        if len(self.open) > MAX_DEPTH:
            raise PackError([f"{self.document.name}:{line}: {_TOO_DEEP}"])
        if node.tag not in _TAGS:
            raise PackError([f"{self.document.name}:{line}: {node.tag}: tags are not supported"])
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, self.document.name)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self.open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise PackError([f"{self.document.name}:{line}: a key must be text"])
            key = str(key_node.value)
            if len(key) > MAX_KEY:
                raise PackError([f"{self.document.name}:{line}: a key has at most {MAX_KEY} characters"])
            if fault := _fault_of(key):
                raise PackError([f"{self.document.name}:{line}: {key}: a key has no {fault}"])
            if key in result:
                raise PackError([f"{self.document.name}:{line}: {'.'.join(map(str, (*path, key)))}: repeated key"])
            self.document.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key))
        return result


def _fault_of(text: str) -> str | None:
    """Return what a text of a pack has and must not have, because it would not read as it is written. None if there is nothing."""
    faults = {
        "control characters": _CONTROL,
        "characters that turn the direction of what follows (U+202A to U+202E, U+2066 to U+2069)": _TURNING,
        "more than four combining marks on a letter": _MARKS,
    }
    return next((fault for fault, pattern in faults.items() if pattern.search(text)), None)


def _scalar(node: yaml.ScalarNode, name: str) -> Any:
    text = str(node.value)
    if len(text) > MAX_TEXT:
        raise PackError([f"{name}:{node.start_mark.line + 1}: a text has at most {MAX_TEXT} characters"])
    if len(text) > 1 and (fault := _fault_of(text)):  # a single one may be the separator of a file
        raise PackError([f"{name}:{node.start_mark.line + 1}: a text has no {fault}"])
    if node.style:  # quoted or block: text
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > MAX_DIGITS and (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        raise PackError([f"{name}:{node.start_mark.line + 1}: a number has at most {MAX_DIGITS} digits; put a text in quotes"])
    if _INT.fullmatch(text):
        whole = YamlInt(text, 0 if text[:2] in ("0o", "0x") else 10)
        whole.text = text
        return whole
    if _FLOAT.fullmatch(text):
        real = YamlFloat(text.replace(".inf", "inf").replace(".nan", "nan").replace(".Inf", "inf"))
        real.text = text
        return real
    return text


def plain(value: Any) -> Any:
    """Return `value` with plain numbers, without the text in which they were written."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, YamlInt):
        return int(value)
    return float(value) if isinstance(value, YamlFloat) else value


def _as_text(value: Any) -> Any:
    return value.text if isinstance(value, YamlInt | YamlFloat) else value


def _as_expression(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _as_text(value)


Text = Annotated[str, BeforeValidator(_as_text)]
"""A string; a number in the YAML is taken as the text in which it was written."""
Expression = Annotated[str, BeforeValidator(_as_expression)]
"""A scalar SQL expression; a number or truth value in the YAML is taken as its text."""

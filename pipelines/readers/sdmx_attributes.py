"""The values that an SDMX message in XML gives around an observation: in its series, its groups and its data set, and as pairs of id and value.

Structure-specific data have them as XML attributes, generic data as elements such as `<Value id="GEO" value="CZ01"/>`. Here both become
columns such as `@GEO`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.readers.unreadable import UnreadableSnapshot
from pipelines.readers.xml_walk import local_name

NAMESPACES = "http://www.sdmx.org/resources/sdmxml/schemas/"
MAX_GROUP_KEYS = 50
_KEYS = {"SeriesKey", "ObsKey", "GroupKey"}
_NO_GROUPS = {"Series", "Obs", "Attributes", "DataProvider", "KeyFamilyRef", "Annotations"}
"""Elements in a data set that are no groups. In structure-specific data a group can have any name."""
Row = dict[str, str]


@dataclass
class _Group:
    """Values that belong to all observations with the same key. Without `pairs` the key is not told apart from the values."""

    key: Row = field(default_factory=dict)
    values: Row = field(default_factory=dict)
    pairs: bool = False


class SdmxAttributes:
    """Follows a document on the way of its parser. It does nothing in documents that are no SDMX message."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows  # the rows read so far; those of a data set get the values of its groups at its end
        self._first = 0
        self._is_sdmx = False
        self._open: list[str] = []
        self._values: dict[str, Row] = {}  # by the element that has them: DataSet, Series, Obs
        self._group: _Group | None = None
        self._groups: list[_Group] = []
        self._dimension = "TIME_PERIOD"

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open:
            self._is_sdmx = name.startswith(NAMESPACES)
        local = local_name(name)
        parent = self._open[-1] if self._open else ""
        self._open.append(local)
        if not self._is_sdmx:
            return
        if local == "Structure":
            dimension = attributes.get("dimensionAtObservation", "")
            self._dimension = dimension if dimension not in ("", "AllDimensions") else "TIME_PERIOD"
        elif local in ("DataSet", "Series", "Obs"):
            self._values[local] = {}
        elif parent == "DataSet" and local not in _NO_GROUPS:
            is_generic = name.rpartition(" ")[0].endswith("/generic")  # whose `type` is the name of the group
            self._group = _Group(values={} if is_generic else {f"@{key}": value for key, value in attributes.items() if " " not in key})
            self._groups.append(self._group)
        elif local == "ObsDimension":
            self._keep(attributes, self._dimension)
        elif local == "ObsValue":
            self._keep(attributes, "OBS_VALUE")
        elif local == "Value" and (parent in _KEYS or parent == "Attributes"):
            self._keep(attributes, "")

    def end(self) -> None:
        local = self._open.pop()
        if not self._is_sdmx:
            return
        if self._open and self._open[-1] == "DataSet" and self._group is not None:
            self._group = None
        if local == "DataSet":
            self._add_groups()
            self._first, self._groups = len(self._rows), []
        self._values.pop(local, None)

    def values(self) -> Row:
        """Return the values of the open observation and of what is around it; the nearest comes first."""
        around = [self._values.get(name, {}) for name in ("DataSet", "Series", "Obs")]
        return {name: value for values in around for name, value in values.items()}

    def _keep(self, attributes: dict[str, str], default: str) -> None:
        """Keep a pair of id and value with the element that it belongs to."""
        name, value = attributes.get("id") or attributes.get("concept") or default, attributes.get("value")
        if not name or value is None:
            return
        owner = next((element for element in reversed(self._open) if element in self._values), None)
        if self._group is not None and owner == "DataSet":
            self._group.pairs = True
            (self._group.key if "GroupKey" in self._open else self._group.values)[f"@{name}"] = value
        elif owner is not None:
            self._values[owner][f"@{name}"] = value

    def _add_groups(self) -> None:
        """Give the rows of the data set the values of their groups, where they have none of that name."""
        rows = self._rows[self._first :]
        if not self._groups or not rows:
            return
        of_all_rows = set(rows[0]).intersection(*rows)  # as all dimensions are
        groups: dict[tuple[str, ...], dict[tuple[str, ...], Row]] = {}
        for group in self._groups:
            key = group.key if group.pairs else {name: value for name, value in group.values.items() if name in of_all_rows}
            names = tuple(sorted(key))
            if names:
                groups.setdefault(names, {}).setdefault(tuple(key[name] for name in names), {}).update(group.values)
        if len(groups) > MAX_GROUP_KEYS:
            raise UnreadableSnapshot(f"groups by more than {MAX_GROUP_KEYS} different sets of dimensions")
        for row in rows:
            of_groups = [by_key.get(tuple(row.get(name, "") for name in names), {}) for names, by_key in groups.items()]
            for values in of_groups:
                for name, value in values.items():
                    row.setdefault(name, value)

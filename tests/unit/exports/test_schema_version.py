"""The version of the table structure: the first number changes if, and only if, a program may break."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from release_sample import TABLES, Home, later

from exports.model.schema_version import following

pytestmark = pytest.mark.slow

Resources = list[dict[str, Any]]


@pytest.fixture(scope="module")
def package(release: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((release / "datapackage.json").read_bytes())
    return value


def after(change: Callable[[Resources], Any], package: dict[str, Any], last: str, folder: Path) -> str:
    """Return the version of the changed tables of `package` after a release of them with the version `last`."""
    (folder / "datapackage.json").write_text(json.dumps({**package, "schema_version": last}))
    tables = copy.deepcopy([resource for resource in package["resources"] if resource["name"] != "changes"])
    change(tables)
    return following(folder, tables)


def field(tables: Resources, number: int = 1) -> dict[str, Any]:
    return next(table for table in tables if table["name"] == "indicator_values")["schema"]["fields"][number]


class TestFollowing:
    def test_starts_with_first_version(self, package: dict[str, Any], tmp_path: Path) -> None:
        assert package["schema_version"] == "1.0.0"
        (tmp_path / "datapackage.json").write_text('{"resources": [], "schema_version": "one"}')
        assert following(tmp_path, []) == following(tmp_path / "nowhere", []) == following(None, []) == "1.0.0"

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda t: None, "2.3.4"),
            (lambda t: t.reverse(), "2.3.4"),
            (lambda t: t.pop(), "3.0.0"),
            (lambda t: field(t).update(name="area"), "3.0.0"),
            (lambda t: field(t, 3).update(type="string"), "3.0.0"),
            (lambda t: field(t, 3).update(unit="households"), "3.0.0"),
            (lambda t: t[0]["schema"]["fields"].reverse(), "3.0.0"),
            (lambda t: t[0]["schema"].update(primaryKey=["name"]), "3.0.0"),
            (lambda t: t[0]["schema"]["fields"].insert(1, {"name": "new", "type": "string", "description": "-"}), "2.4.0"),
            (lambda t: t.append({**t[0], "name": "another"}), "2.4.0"),
            (lambda t: field(t, 4)["categories"].pop(), "2.4.0"),
            (lambda t: t[0]["schema"].update(foreignKeys=[]), "2.4.0"),
            (lambda t: t[0].update(description="In other words."), "2.3.5"),
            (lambda t: field(t).update(description="In other words."), "2.3.5"),
            (lambda t: (field(t).update(description="-"), t.append({**t[0], "name": "another"})), "2.4.0"),
        ],
    )
    def test_level_depends_on_change(
        self, change: Callable[[Resources], Any], expected: str, package: dict[str, Any], tmp_path: Path
    ) -> None:
        assert after(change, package, "2.3.4", tmp_path) == expected

    def test_continues_from_previous_release(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        def schema_version_of(release: Path) -> str:
            return str(json.loads((release / "datapackage.json").read_bytes())["schema_version"])

        assert schema_version_of(home.build(warehouse).path) == "1.0.0"
        assert schema_version_of(home.build(changed_warehouse, later(1)).path) == "1.0.0"  # other values, the same shape
        third = home.build(changed_warehouse, later(2), tables=TABLES[:-1])
        assert schema_version_of(third.path) == "2.0.0"
        assert "(`schema_version`): 2.0.0." in (third.path / "CHANGELOG.md").read_text()
        assert schema_version_of(home.build(changed_warehouse, later(3)).path) == "2.1.0"

"""The CSV files that the site saves can be read back, and spreadsheets take them for UTF-8. Needs Node and the packages of the site."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.support import site_scripts

HEADER = ["area", "obs_value", "note"]
ROWS: list[list[str | float | None]] = [["Dolní Újezd", 12.5, None], ['He said "no", twice', -3, "two\nlines"], ["=1+1", 0, "@x"]]
SCRIPT = """
import {{ csv, csvFile }} from {csv};
const [header, rows] = JSON.parse(process.argv[2]);
const bytes = new Uint8Array(await csvFile(csv(header, rows)).arrayBuffer());
console.log(JSON.stringify([...bytes]));
"""


def test_a_saved_table_is_read_back(tmp_path: Path) -> None:
    content = bytes(site_scripts.run(site_scripts.bundled(tmp_path, SCRIPT, csv="core/csv"), json.dumps([HEADER, ROWS])))
    assert content.startswith(b"\xef\xbb\xbfarea"), "one mark at the beginning"
    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert table == [HEADER, ["Dolní Újezd", "12.5", ""], ['He said "no", twice', "-3", "two\nlines"], ["'=1+1", "0", "'@x"]]


def test_every_table_is_saved_by_one_function() -> None:
    """A second writer would forget the mark or the guard against formulas."""
    sources = [path for path in (site_scripts.SITE / "src").rglob("*.ts*") if path.name != "csv.ts"]
    assert [path.name for path in sources if "text/csv" in path.read_text(encoding="utf-8")] == []

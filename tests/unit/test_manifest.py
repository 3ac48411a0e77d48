"""The manifest and the receipts of the lake: what is written can be read again, also from workspaces of earlier versions."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.core.state import StateError
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest, ManifestPart, ManifestSource
from pipelines.lake.store import UNIVERSE, File, Lake, Receipt


def manifest() -> Manifest:
    result = Manifest(
        created_at="2026-11-28T12:00:00Z", pack="demo", pack_digest="d", code_version=1,
        files={"observations": [File("observations/a.parquet", 3, "0" * 64), File("observations/b.parquet", 2, "1" * 64)]},
        sources={"people": ManifestSource(kind="observations", parts={"": ManifestPart(snapshot="s", key="k", url="u", fetched_at="t")}),
                 "count": ManifestSource(kind="counted", parts={"": ManifestPart(snapshot="", key="c")})},
    )  # fmt: skip
    result.digest = result.content_digest()
    return result


class TestManifest:
    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        workspace = WorkspaceFolder(tmp_path)
        manifest().make_current(workspace)
        assert Manifest.current(workspace) == manifest()
        assert len(list(workspace.manifests.iterdir())) == 2  # the current one, and the same one under its digest

    def test_keeps_the_keys_that_the_warehouse_reads(self, tmp_path: Path) -> None:
        workspace = WorkspaceFolder(tmp_path)
        manifest().make_current(workspace)
        content = json.loads(workspace.manifest.read_text(encoding="utf-8"))
        assert set(content) == {"format", "created_at", "digest", "pack", "pack_digest", "code_version", "files", "sources"}
        assert content["files"]["observations"][0] == {"path": "observations/a.parquet", "rows": 3, "sha256": "0" * 64}
        assert content["sources"]["count"] == {"kind": "counted", "parts": {"": {"snapshot": "", "key": "c"}}}

    def test_digest_does_not_depend_on_time(self) -> None:
        later = manifest().model_copy(update={"created_at": "2026-11-29T12:00:00Z"})
        assert later.content_digest() == manifest().digest
        assert manifest().model_copy(update={"pack_digest": "e"}).content_digest() != manifest().digest

    def test_is_empty_before_the_first_run(self, tmp_path: Path) -> None:
        assert Manifest.current(WorkspaceFolder(tmp_path)) == Manifest()

    def test_reads_manifests_of_earlier_versions(self, tmp_path: Path) -> None:
        workspace = WorkspaceFolder(tmp_path)
        workspace.manifests.mkdir()
        workspace.manifest.write_text('{"code_version": "3f2a", "files": {}, "sources": {}}', encoding="utf-8")
        assert Manifest.current(workspace).code_version == "3f2a"

    def test_names_a_broken_file(self, tmp_path: Path) -> None:
        workspace = WorkspaceFolder(tmp_path)
        workspace.manifests.mkdir()
        workspace.manifest.write_text("{", encoding="utf-8")
        with pytest.raises(StateError, match=r"current\.json: damaged"):
            Manifest.current(workspace)


class TestReceipt:
    def test_is_read_as_it_was_written_while_its_files_exist(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path)
        file = lake.write("universe", "people", pl.DataFrame({"source": ["people"], "ref_area": ["a"]}, schema=UNIVERSE))
        receipt = Receipt(
            source="people", part="year=2021", snapshot="s", key="k", rows_read=3, accepted=1, quarantined=1, ignored={"where": 1},
            files={"universe": file}, corrected=[1],
        )  # fmt: skip
        lake.save_receipt(receipt)
        assert lake.load_receipt("people", "year=2021", "k") == receipt
        assert lake.load_receipt("people", "year=2021", "another key") is None
        (tmp_path / file.path).unlink()
        assert lake.load_receipt("people", "year=2021", "k") is None

    def test_is_not_saved_where_a_row_is_lost(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="3 rows read, but 1 accepted"):
            Lake(tmp_path).save_receipt(Receipt(source="people", part="", snapshot="s", key="k", rows_read=3, accepted=1))

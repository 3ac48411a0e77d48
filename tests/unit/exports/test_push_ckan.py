"""`zpo2 push ckan` against a portal on loopback: it sends only what is missing, and the key only to the portal."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pushing import VERSIONS, command, copy_of, damage, example, home_with_two_releases, withdraw

from exports.model import checksums
from exports.model.topics import FURTHER
from exports.push import ckan, ckan_client, ckan_fields, ckan_schema, push_plan
from exports.push.ckan_client import Portal
from exports.push.errors import PushError
from exports.push.retry_policy import RetryPolicy
from pipelines.core.errors import UsageError
from tests.support import ckan as support
from tests.support.ckan import Ckan, Fault
from tests.support.command import environment
from tests.support.server import Reply
from tests.support.server import serving as other_server

pytestmark = pytest.mark.slow

FIRST, SECOND = VERSIONS
VARIABLE = "ZPO2_SECRET_PORTAL"
DATASETS = {"demo-women", "demo-territory", "demo-release"}
FAST = RetryPolicy(attempts=4, first_delay=0.01, max_retry_after=5)
FIELDS = ("identifier", "uri", "issued", "modified", "language", "theme", "frequency", "access_rights", "documentation", "provenance")
SCHEMA = {
    "dataset_fields": [
        *({"field_name": name} for name in ("title", "name", "notes", "tag_string", "license_id", "owner_org", "url", "version")),
        *({"field_name": name} for name in FIELDS if name not in ("language", "theme", "documentation", "frequency")),
        *(
            {"field_name": name, "preset": "multiple_text", "validators": "ignore_missing scheming_multiple_text"}
            for name in ("language", "theme", "documentation")
        ),
        {"field_name": "publisher", "repeating_subfields": [{"field_name": "uri"}, {"field_name": "name"}]},
        {"field_name": "contact", "repeating_subfields": [{"field_name": name} for name in ("uri", "name", "email")]},
        {"field_name": "temporal_coverage", "repeating_subfields": [{"field_name": "start"}, {"field_name": "end"}]},
    ],
    "resource_fields": [{"field_name": "url"}, {"field_name": "language", "preset": "multiple_text"}],
}
"""A part of ckanext-dcat's full schema: `frequency` and `spatial_coverage` are missing on purpose."""


MULTILINGUAL = {
    "form_languages": ["en", "ca"],
    "dataset_fields": [
        {"field_name": "title_translated", "preset": "fluent_core_translated", "required": True},
        {"field_name": "name", "preset": "dataset_slug"},
        {"field_name": "notes_translated", "preset": "fluent_core_translated", "required": True},
        {"field_name": "tags_translated", "preset": "fluent_tags"},
        {"field_name": "provenance", "preset": "fluent_markdown"},
        *({"field_name": name} for name in ("license_id", "owner_org", "url", "version", "title", "notes")),
        *({"field_name": name} for name in FIELDS if name not in ("provenance", "language", "theme", "documentation")),
    ],
    "resource_fields": [
        {"field_name": "url"},
        {"field_name": "name_translated", "preset": "fluent_core_translated"},
        {"field_name": "description_translated", "preset": "fluent_core_translated"},
    ],
}
"""A part of ckanext-dcat's multilingual schema."""


@pytest.fixture
def portal() -> Iterator[Ckan]:
    with support.serving() as server:
        yield server


def push(home: Path, portal: Ckan, version: str | None = None, key: str | None = None, **options: Any) -> list[str]:
    """Push in this process and return the messages."""
    messages: list[str] = []
    plan = push_plan.select_release(home / "public", version)
    chosen = ckan.Options(**{"owner_org": "office", "retry_policy": FAST, **options})
    ckan.push(plan, Portal(portal.url, key or portal.key, VARIABLE), chosen, messages.append)
    return messages


def run(home: Path, portal: Ckan, *arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    """Push with the command."""
    return command(
        "ckan", "--home", home, "--url", portal.url, "--api-key-env", VARIABLE, "--owner-org", "office", *arguments,
        **{VARIABLE: key or portal.key},
    )  # fmt: skip


def shown(portal: Ckan, name: str = "demo-territory") -> dict[str, Any]:
    return portal.package_show({"id": name})


def extras(package: dict[str, Any]) -> dict[str, str]:
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def says(portal: Ckan) -> dict[str, Any]:
    """Return what readers see of the portal, without times, ids of datasets and its own addresses."""
    text = json.dumps(
        {p["name"]: {k: v for k, v in p.items() if k != "metadata_modified"} for p in portal.packages.values()}, sort_keys=True
    )
    for package in portal.packages.values():
        text = text.replace(package["id"], package["name"])
    return json.loads(re.sub(r'"last_modified": "[^"]*"', '"last_modified": ""', text.replace(portal.url, "")))


# ------------------------------------------------------------------------------------------------------------ datasets


class TestDatasets:
    def test_one_per_topic_with_links(self, two_releases: Path, portal: Ckan) -> None:
        done = run(two_releases, portal)
        assert (done.returncode, done.stderr) == (0, "")
        assert {p["name"] for p in portal.packages.values()} == DATASETS
        release = two_releases / "public" / "releases" / SECOND
        package = shown(portal)
        assert (package["title"], package["version"], package["license_id"]) == (
            "Areas, their codes and similar areas (Demo indicators)",
            SECOND,
            "cc-by",
        )
        assert {tag["name"] for tag in package["tags"]} == set(FURTHER[-1].keywords["en"])
        fields = extras(package)
        assert fields["identifier"] == "demo/territory"
        assert fields["zpo2_workspace"] == push_plan.select_release(two_releases / "public", None).workspace
        assert "publisher_type" not in fields
        assert fields["uri"] == "https://data.example.org/zpo2/datasets/territory"
        assert (fields["issued"], fields["modified"]) == ("2026-11-03T08:30:00Z", "2026-11-04T08:30:00Z")
        assert (fields["publisher_name"], fields["publisher_uri"]) == ("Example office", "https://office.example.org/")
        assert fields["contact_email"] == "data@example.org"
        assert fields["spatial_uri"] == "http://publications.europa.eu/resource/authority/country/CZE"
        assert (fields["temporal_start"], fields["temporal_end"]) == ("2000-01-01", "2399-12-31")
        assert json.loads(fields["theme"]) == ["http://publications.europa.eu/resource/authority/data-theme/REGI"]
        assert "Population (Statistical office, CC0-1.0)" in fields["provenance"]
        csv, parquet, *_ = package["resources"]
        assert csv["url"] == csv["download_url"] == f"https://data.example.org/zpo2/releases/{SECOND}/csv/areas.csv"
        assert (csv["format"], csv["mimetype"], parquet["format"]) == ("CSV", "text/csv", "Parquet")
        assert (csv["size"], csv["hash"]) == (
            (release / "csv/areas.csv").stat().st_size,
            checksums.read(release)["csv/areas.csv"],
        )
        assert csv["zpo2_sha256"] == csv["hash"]
        assert csv["hash_algorithm"].endswith("checksumAlgorithm_sha256")
        assert (csv["name"], parquet["name"]) == ("CSV, areas", "Parquet, areas")
        assert csv["last_modified"] == "2026-11-04T08:30:00"
        assert csv["license"].endswith("/CC_BY_4_0")
        assert csv["availability"].endswith("/STABLE")
        assert json.loads(csv["conforms_to"])[1].endswith("/csv/csv-metadata.json")

    def test_match_catalogue(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal)
        graph = json.loads((two_releases / "public" / "releases" / SECOND / "catalog.jsonld").read_text(encoding="utf-8"))["@graph"]
        urls = {node["dcat:downloadURL"][0]["@id"] for node in graph if "dcat:downloadURL" in node}
        assert {r["url"] for p in portal.packages.values() for r in p["resources"]} == urls

    def test_use_fields_of_portal_schema(self, two_releases: Path) -> None:
        with support.serving(schema=SCHEMA) as portal:
            push(two_releases, portal)
            package = shown(portal)
            assert package["theme"] == ["http://publications.europa.eu/resource/authority/data-theme/REGI"]
            assert package["publisher"] == [{"uri": "https://office.example.org/", "name": "Example office"}]
            assert package["temporal_coverage"] == [{"start": "2000-01-01", "end": "2399-12-31"}]
            assert set(extras(package)) == {
                "zpo2_workspace",
                "creator_name",
                "frequency",
                "spatial_uri",
                "spatial_text",
                "spatial_bbox",
                "spatial_centroid",
            }
            assert isinstance(package["resources"][0]["language"], list)
            count = len(portal.writes)
            push(two_releases, portal)
            assert len(portal.writes) == count

    def test_are_converted_to_new_schema(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal)
        with support.serving(schema=SCHEMA) as fresh:
            push(two_releases, fresh)
            portal.schema = SCHEMA
            push(two_releases, portal)
            assert says(portal) == says(fresh)

    def test_use_requested_language(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, language="cs")
        assert shown(portal)["title"] == "Území, jejich kódy a podobná území (Ukázkové ukazatele)"
        assert {"číselník obcí", "obce"} <= {tag["name"] for tag in shown(portal)["tags"]}
        assert extras(shown(portal))["provenance"].startswith("Vypočteno z: Population (Statistical office, CC0-1.0); Events")
        assert " Podrobnosti: https://" in extras(shown(portal))["provenance"]
        assert shown(portal)["resources"][0]["name"] == "CSV, území"

    @pytest.mark.parametrize("upload", [False, True])
    def test_use_translated_fields_of_portal_schema(self, two_releases: Path, upload: bool) -> None:
        with support.serving(schema=MULTILINGUAL) as portal:
            push(two_releases, portal, upload=upload)
            package = shown(portal)
            # the portal insists on Catalan, which the release does not have
            english, czech = (
                "Areas, their codes and similar areas (Demo indicators)",
                "Území, jejich kódy a podobná území (Ukázkové ukazatele)",
            )
            assert package["title_translated"] == {"en": english, "ca": english, "cs": czech}
            assert set(package["notes_translated"]) == {"en", "ca", "cs"}
            assert package["tags_translated"]["cs"][0] == "území"
            assert package["provenance"]["cs"].startswith("Vypočteno z")
            resource = package["resources"][0]
            assert resource["name_translated"] == {"en": "CSV, areas", "ca": "CSV, areas", "cs": "CSV, území"}
            assert "provenance" not in extras(package)
            count = len(portal.writes)
            push(two_releases, portal, upload=upload)
            assert len(portal.writes) == count
            package["title_translated"]["cs"] = "Něco jiného"
            push(two_releases, portal, upload=upload)
            assert shown(portal)["title_translated"]["cs"] == czech


# ------------------------------------------------------------------------------------------------------ repeated pushes


# -------------------------------------------------------------------------------------------------------------- errors


class TestRetries:
    @pytest.mark.parametrize("upload", [False, True])
    @pytest.mark.parametrize("after", [False, True])
    def test_do_not_repeat_what_arrived(self, two_releases: Path, portal: Ckan, upload: bool, after: bool) -> None:
        portal.write_faults = {n: Fault(after=after) for n in (1, 3, 5)}
        portal.read_faults = {4: Fault()}
        push(two_releases, portal, upload=upload)
        with support.serving() as fresh:
            push(two_releases, fresh, upload=upload)
            assert says(portal) == says(fresh)
            assert len(portal.writes) == len(fresh.writes) + (0 if after else 3), "what had arrived is not sent again"

    def test_respect_retry_after(self, two_releases: Path, portal: Ckan) -> None:
        portal.write_faults = {1: Fault(429, {"Retry-After": "2"}), 2: Fault(503)}
        began = time.monotonic()
        messages = push(two_releases, portal)
        assert time.monotonic() - began >= 2
        assert next(line for line in messages if "answered" in line).endswith("package_create answered 429; trying again in 2 s")
        assert {p["name"] for p in portal.packages.values()} == DATASETS

    def test_give_up_on_long_retry_after(self, two_releases: Path, portal: Ckan) -> None:
        portal.read_faults = {2: Fault(429, {"Retry-After": "86400"})}
        with pytest.raises(PushError, match=r"asks to wait for \d+ s"):
            push(two_releases, portal)

    def test_give_up_when_portal_stays_down(self, two_releases: Path, portal: Ckan) -> None:
        portal.write_faults = {n: Fault(503) for n in range(2, 100)}
        with pytest.raises(PushError, match=r"package_create answered 503; gave up after 4 attempts") as failed:
            push(two_releases, portal)
        assert len(portal.writes) == 1 + 2 * FAST.attempts, "two datasets in a row are enough"
        assert "(1 of 3 datasets are up to date" in str(failed.value)
        portal.write_faults, count = {}, len(portal.writes)
        done = run(two_releases, portal)
        assert done.returncode == 0
        assert len(portal.writes) == count + 2


class TestUpload:
    def test_sends_only_changed_files(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST, upload=True)
        count = len(portal.writes)
        messages = push(two_releases, portal, SECOND, upload=True)
        uploaded = [line.split()[2].rstrip(",") for line in messages if ": upload " in line]
        assert {"csv/areas.csv", "indicators.duckdb"} <= set(uploaded)
        assert "csv/indicator_values/share.csv" not in uploaded, "it did not change"
        assert sum(any(name.endswith("__upload") for name in body) for _, body in portal.writes[count:]) == len(uploaded)

    def test_sends_bytes_of_release(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, upload=True)
        sums = checksums.read(two_releases / "public" / "releases" / SECOND)
        files = {(Path(path).name, sha256) for path, sha256 in sums.items()}
        for name in DATASETS:
            for resource in shown(portal, name)["resources"]:
                assert "access_url" not in resource
                sent = hashlib.sha256(portal.files[resource["id"]]).hexdigest()
                assert (resource["url"].rpartition("/")[2], sent) in files

    def test_sends_files_before_version(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST, upload=True)
        portal.write_faults = {len(portal.writes) + 2: Fault(status=409)}  # the second file of the first dataset
        with pytest.raises(PushError):
            push(two_releases, portal, SECOND, upload=True)
        assert shown(portal)["version"] == FIRST

    def test_can_switch_between_links_and_uploads(self, two_releases: Path, portal: Ckan) -> None:
        for upload in (False, True, False):
            push(two_releases, portal, upload=upload)
            with support.serving() as fresh:
                push(two_releases, fresh, upload=upload)
                mine, theirs = (json.dumps(says(p)).replace('"url_type": ""', '"url_type": null') for p in (portal, fresh))
            mine = re.sub(r'"last_modified": ("[^"]*"|null)', "", mine)
            assert mine == re.sub(r'"last_modified": ("[^"]*"|null)', "", theirs)
            assert bool(portal.files) == upload

    def test_is_default_without_addresses(self, warehouse: Path, changed_warehouse: Path, tmp_path: Path, portal: Ckan) -> None:
        home = home_with_two_releases(tmp_path / "home", warehouse, changed_warehouse, base_uri="")
        with pytest.raises(UsageError, match="no base_uri"):
            push(home, portal, upload=False)
        push(home, portal)
        package = shown(portal)
        assert {r["url_type"] for r in package["resources"]} == {"upload"}
        assert "uri" not in extras(package)
        assert ".." not in json.dumps(says(portal)), "relative addresses mean nothing on a portal"


class TestPush:
    def test_example_in_help_works(self, two_releases: Path, portal: Ckan) -> None:
        done = command(*example("ckan", "--url", portal.url), "--home", two_releases, ZPO2_SECRET_CKAN=portal.key)
        assert (done.returncode, done.stderr) == (0, "")
        assert {p["name"] for p in portal.packages.values()} == DATASETS

    @pytest.mark.parametrize("upload", [False, True])
    def test_second_push_writes_nothing(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        push(two_releases, portal, upload=upload)
        count = len(portal.writes)
        assert count > 0
        done = run(two_releases, portal, "--upload" if upload else "--links")
        assert (done.returncode, done.stderr) == (0, "")
        assert len(portal.writes) == count
        assert done.stdout.splitlines()[-1].endswith("nothing to do")

    @pytest.mark.parametrize("upload", [False, True])
    def test_dry_run_writes_nothing(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        push(two_releases, portal, FIRST, upload=upload)
        count, before = len(portal.writes), says(portal)
        done = run(two_releases, portal, "--dry-run", "--upload" if upload else "--links")
        assert (done.returncode, done.stderr) == (0, "")
        assert len(portal.writes) == count
        assert says(portal) == before
        assert f"demo-territory: version: {FIRST} -> {SECOND}" in done.stdout.splitlines()
        assert ("would upload csv/areas.csv" in done.stdout) == upload
        assert "upload csv/indicators.csv" not in done.stdout, "the file is the same in both releases"

    def test_dry_run_lists_every_dataset(self, two_releases: Path, portal: Ckan) -> None:
        messages = push(two_releases, portal, dry_run=True)
        assert {line.partition(":")[0] for line in messages} == DATASETS
        assert portal.writes == []

    @pytest.mark.parametrize("upload", [False, True])
    def test_new_release_keeps_names_and_ids(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        push(two_releases, portal, FIRST, upload=upload)
        before = {p["name"]: (p["id"], [r["id"] for r in p["resources"]]) for p in portal.packages.values()}
        push(two_releases, portal, SECOND, upload=upload)
        assert {p["name"]: (p["id"], [r["id"] for r in p["resources"]]) for p in portal.packages.values()} == before
        with support.serving() as fresh:
            push(two_releases, fresh, SECOND, upload=upload)
            mine, theirs = says(portal), says(fresh)
        assert mine == theirs
        assert FIRST not in json.dumps(mine)

    def test_keeps_additions_of_others(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        package = shown(portal)
        package["extras"].append({"key": "reviewed_by", "value": "an editor"})
        package["tags"].append({"name": "popular"})
        package["resources"].insert(
            0, {"id": "0a4cbd5a-3a3c-4d9c-9a44-aaaaaaaaaaaa", "url": "https://office.example.org/guide.pdf", "name": "Guide"}
        )
        push(two_releases, portal, SECOND)
        after = shown(portal)
        assert extras(after)["reviewed_by"] == "an editor"
        assert "popular" in {tag["name"] for tag in after["tags"]}
        assert after["resources"][0]["name"] == "Guide"
        assert after["version"] == SECOND
        count = len(portal.writes)
        push(two_releases, portal, SECOND)
        assert len(portal.writes) == count

    def test_corrects_manual_changes(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal)
        before = says(portal)
        package = shown(portal)
        package["title"] = "Something else"
        package["extras"] = [e for e in package["extras"] if e["key"] != "theme"]
        package["resources"].pop()
        push(two_releases, portal)
        assert says(portal) == before

    def test_removes_obsolete_fields(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        before = says(portal)
        package = shown(portal)
        package["extras"] += [
            {"key": "publisher_type", "value": "http://purl.org/adms/publishertype/Company"},
            {"key": "theme_of_ours", "value": ""},
        ]
        package["resources"][0]["language"] = json.dumps(["http://id.loc.gov/vocabulary/iso639-1/xx"])
        push(two_releases, portal, FIRST)
        assert extras(shown(portal)).pop("theme_of_ours") == ""
        package["extras"] = [e for e in shown(portal)["extras"] if e["key"] != "theme_of_ours"]
        portal.packages[package["id"]]["extras"] = package["extras"]
        assert says(portal) == before

    def test_replaces_shorter_lists(self, two_releases: Path) -> None:
        with support.serving(schema=SCHEMA) as portal:
            push(two_releases, portal)
            before = says(portal)
            package = shown(portal)
            package["theme"].append("http://publications.europa.eu/resource/authority/data-theme/TRAN")
            package["resources"][0]["language"].append("http://id.loc.gov/vocabulary/iso639-1/xx")
            package["contact"][0]["email"] = "nobody@example.org"
            push(two_releases, portal)
            assert says(portal) == before

    def test_does_not_overwrite_concurrent_change(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        original, calls = portal.package_show, []

        def busy(body: dict[str, Any]) -> dict[str, Any]:
            package = original(body)
            calls.extend([body] if body.get("id") == "demo-territory" else [])
            if body.get("id") == "demo-territory" and len(calls) == 2:  # between this answer and the revision
                answer = json.loads(json.dumps(package))
                package["extras"].append({"key": "reviewed_by", "value": "an editor"})
                package["metadata_modified"] = "2026-11-26T08:59:59"
                return answer
            return package

        portal.package_show = busy  # type: ignore[method-assign, assignment]
        messages = push(two_releases, portal, SECOND)
        assert any("changed by somebody else at the same time" in line for line in messages)
        assert extras(shown(portal))["reviewed_by"] == "an editor"
        assert shown(portal)["version"] == SECOND

    def test_only_named_datasets(self, two_releases: Path, portal: Ckan) -> None:
        done = run(two_releases, portal, "--only", "territory", "--only", "demo-women", "--private")
        assert (done.returncode, done.stderr) == (0, "")
        assert {p["name"]: p["private"] for p in portal.packages.values()} == {"demo-territory": True, "demo-women": True}
        with pytest.raises(UsageError, match="--only nothing: the release has no such dataset; it has women, "):
            push(two_releases, portal, only=frozenset({"nothing"}))

    def test_review_before_publication(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, private=True)
        push(two_releases, portal)
        assert {p["private"] for p in portal.packages.values()} == {True}, "only --public ends the review"
        push(two_releases, portal, private=False)
        assert {p["private"] for p in portal.packages.values()} == {False}

    @pytest.mark.parametrize("upload", [False, True])
    def test_loader_that_writes_its_own_checksum(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        push(two_releases, portal, FIRST, upload=upload)
        for package in portal.packages.values():
            for resource in package["resources"]:
                resource["hash"] = "0123456789abcdef0123456789abcdef"
        count = len(portal.files), len(portal.writes)
        push(two_releases, portal, FIRST, upload=upload)
        resource = shown(portal)["resources"][0]
        assert resource["hash"] == "0123456789abcdef0123456789abcdef"
        assert resource["hash_algorithm"].endswith("_md5"), "the portal does not call it a SHA-256"
        assert not any(name.endswith("__upload") for _, body in portal.writes[count[1] :] for name in body), "no file is sent again"
        writes = len(portal.writes)
        push(two_releases, portal, FIRST, upload=upload)
        assert len(portal.writes) == writes
        push(two_releases, portal, SECOND, upload=upload)
        resource = shown(portal)["resources"][0]
        assert (len(resource["hash"]), resource["hash_algorithm"].endswith("_sha256")) == (64, True)

    @pytest.mark.parametrize(("upload", "at"), [("--links", 3), ("--upload", 5)])
    def test_continues_after_kill(self, two_releases: Path, portal: Ckan, upload: str, at: int) -> None:
        portal.hold_at = at
        running = subprocess.Popen(
            [
                sys.executable, "-m", "pipelines.cli", "push", "ckan", "--home", str(two_releases), "--url", portal.url,
                "--api-key-env", VARIABLE, "--owner-org", "office", upload,
            ],
            env=environment(**{VARIABLE: portal.key}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert portal.held.wait(60), "the push came that far"
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        portal.go_on.set()
        with support.serving() as fresh:
            assert run(two_releases, fresh, upload).returncode == 0
            done = run(two_releases, portal, upload)
            assert (done.returncode, done.stderr) == (0, "")
            assert says(portal) == says(fresh)
            assert len(portal.writes) == len(fresh.writes) + 1, "only what was not there is sent"

    def test_rejects_damaged_release(self, two_releases: Path, tmp_path: Path, portal: Ckan) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        damage(home / "public" / "releases" / SECOND / "csv" / "areas.csv")
        done = run(home, portal)
        assert done.returncode == 1
        assert "csv/areas.csv" in done.stderr
        assert (portal.reads, portal.writes) == ([], [])

    def test_rejects_withdrawn_release(self, two_releases: Path, tmp_path: Path, portal: Ckan) -> None:
        home = copy_of(two_releases, tmp_path / "home")
        withdraw(home, FIRST)
        done = run(home, portal, "--version", FIRST)
        assert done.returncode == 2
        assert "was withdrawn" in done.stderr
        assert portal.reads == []

    def test_stops_when_portal_keeps_its_values(self, two_releases: Path, portal: Ckan) -> None:
        original = portal._resource

        def stubborn(resource: dict[str, Any], *rest: Any) -> dict[str, Any]:
            return {**original(resource, *rest), "mimetype": "application/csv"}

        portal._resource = stubborn  # type: ignore[method-assign, assignment]
        messages = push(two_releases, portal)
        assert "demo-territory: the portal keeps its own values of: mimetype" in messages


class TestDataDictionary:
    def columns(self, portal: Ckan, name: str) -> dict[str, dict[str, Any]]:
        assert portal.datastore is not None
        csv = next(r["id"] for package in portal.packages.values() for r in package["resources"] if r["name"] == name)
        return {field["id"]: field for field in portal.datastore[csv]}

    @pytest.mark.parametrize("upload", [False, True])
    def test_states_types_before_file_is_loaded(self, two_releases: Path, upload: bool) -> None:
        with support.serving(datastore={}, loader=True) as portal:
            messages = push(two_releases, portal, upload=upload)
            assert "demo-territory: describe the columns of csv/areas.csv" in messages
            version, value = (
                self.columns(portal, "CSV, Share of women")["time_period"],
                self.columns(portal, "CSV, Share of women")["obs_value"],
            )
            assert (version["type"], version["info"]["type_override"]) == ("text", "text"), "2026 is no number"
            assert (value["type"], value["info"]["type_override"]) == ("numeric", "numeric")
            assert self.columns(portal, "CSV, areas")["ref_area"]["info"]["notes"]
            count = len(portal.writes)
            assert run(two_releases, portal, "--upload" if upload else "--links").stdout.splitlines()[-1].endswith("nothing to do")
            assert len(portal.writes) == count

    def test_describes_tables_that_are_loaded(self, two_releases: Path) -> None:
        with support.serving(datastore={}) as portal:
            push(two_releases, portal)
            assert portal.datastore == {}, "without a loader an empty table would stay empty"
            csv = next(r["id"] for r in shown(portal)["resources"] if r["name"] == "CSV, areas")
            release = two_releases / "public" / "releases" / SECOND
            header = (release / "csv" / "areas.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
            portal.datastore[csv] = [{"id": name, "type": "timestamp"} for name in header]
            assert push(two_releases, portal, dry_run=True) == ["demo-territory: would describe the columns of csv/areas.csv"]
            push(two_releases, portal)
            version = self.columns(portal, "CSV, areas")["valid_from"]
            assert (version["type"], version["info"]["type_override"]) == ("timestamp", "text"), "the next load makes it a text"
            portal.datastore[csv] = [{"id": "other", "type": "text"}]
            assert push(two_releases, portal) == [], "a table of other columns is left to the loader"


class TestOwnership:
    """A push changes only datasets that were pushed from the same workspace."""

    def handmade(self, portal: Ckan, **fields: Any) -> dict[str, Any]:
        return portal.package_create({"name": "demo-territory", "title": "Handmade", "owner_org": "office", **fields})

    def other_workspace(self, root: Path, warehouse: Path, changed: Path) -> Path:
        """Return a workspace of the same pack that was published first at another time."""
        home = home_with_two_releases(root, warehouse, changed)
        ledger = home / "public" / "releases.json"
        ledger.write_text(ledger.read_text(encoding="utf-8").replace("2026-11-03T08:30:00Z", "2026-11-03T08:30:01Z"), encoding="utf-8")
        return home

    def test_dataset_of_others_is_refused(self, two_releases: Path, portal: Ckan) -> None:
        self.handmade(portal)
        for dry_run in (True, False):
            with pytest.raises(
                PushError, match=r"not from this workspace; choose other names with --prefix, or take it over with --adopt demo-territory"
            ):
                push(two_releases, portal, dry_run=dry_run)
        assert shown(portal)["title"] == "Handmade"
        assert {p["name"] for p in portal.packages.values()} == DATASETS

    @pytest.mark.parametrize("upload", [False, True])
    def test_dataset_of_others_is_adopted(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        package = self.handmade(portal)
        done = run(two_releases, portal, "--adopt", "demo-territory", "--upload" if upload else "--links")
        assert (done.returncode, done.stderr) == (0, "")
        assert (shown(portal)["id"], shown(portal)["title"]) == (package["id"], "Areas, their codes and similar areas (Demo indicators)")
        count = len(portal.writes)
        push(two_releases, portal, upload=upload)
        assert len(portal.writes) == count
        with pytest.raises(UsageError, match="--adopt nothing: the push has no dataset of this name"):
            push(two_releases, portal, adopt=frozenset({"nothing"}))

    def test_two_workspaces_do_not_overwrite_each_other(
        self, two_releases: Path, warehouse: Path, changed_warehouse: Path, tmp_path: Path, portal: Ckan
    ) -> None:
        push(two_releases, portal)
        before = says(portal)
        other = self.other_workspace(tmp_path / "other", warehouse, changed_warehouse)
        with pytest.raises(PushError, match="0 of 3 datasets are up to date"):
            push(other, portal)
        assert says(portal) == before
        push(other, portal, prefix="other")
        assert len(portal.packages) == 2 * len(DATASETS)

    def test_dataset_of_earlier_version_is_recognised(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        for package in portal.packages.values():
            package["extras"] = [e for e in package["extras"] if e["key"] != "zpo2_workspace"]
            for resource in package["resources"]:
                del resource["zpo2_sha256"]
        push(two_releases, portal)
        with support.serving() as fresh:
            push(two_releases, fresh)
            assert says(portal) == says(fresh)

    @pytest.mark.parametrize("upload", [False, True])
    def test_renamed_dataset_is_found(self, two_releases: Path, portal: Ckan, upload: bool) -> None:
        push(two_releases, portal, FIRST, upload=upload)
        shown(portal)["name"] = "districts"
        self.handmade(portal)
        push(two_releases, portal, SECOND, upload=upload)
        assert shown(portal, "districts")["version"] == SECOND
        assert shown(portal)["title"] == "Handmade"
        assert len(portal.packages) == len(DATASETS) + 1

    def test_dataset_of_another_organisation_is_not_moved(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        package = shown(portal)
        package["organization"] = {"id": "5b1ab0b3-0000-4000-8000-000000000000", "name": "archive"}
        package["owner_org"] = package["organization"]["id"]
        with pytest.raises(PushError, match="belongs to the organisation archive; push it with --owner-org archive"):
            push(two_releases, portal)
        assert shown(portal)["version"] == FIRST

    def test_loser_of_two_pushes_continues(self, two_releases: Path, portal: Ckan) -> None:
        original = portal.package_create

        def create(body: dict[str, Any]) -> dict[str, Any]:
            original(body)  # by the other push, a moment earlier
            return original(body)

        portal.package_create = create  # type: ignore[method-assign]
        messages = push(two_releases, portal)
        assert any("created by somebody else at the same time, such as another push" in line for line in messages)
        assert {p["name"] for p in portal.packages.values()} == DATASETS


# ------------------------------------------------------------------------------------------------------------- API key


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"owner_org": None}, "owner_org: .*An organization must be provided.*--owner-org"),
            ({"owner_org": "nobody"}, "ZPO2_SECRET_PORTAL, or its user may not edit datasets of the organisation nobody .--owner-org"),
            ({"key": "a-wrong-key"}, "does not accept the key in ZPO2_SECRET_PORTAL"),
        ],
    )
    def test_explain_refusal(self, two_releases: Path, portal: Ckan, change: dict[str, Any], words: str) -> None:
        with pytest.raises(PushError, match=words) as failed:
            push(two_releases, portal, **change)
        assert len(str(failed.value).splitlines()) == 1
        assert {p["name"] for p in portal.packages.values()} == set()

    def test_deleted_dataset(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal)
        shown(portal)["state"] = "deleted"
        with pytest.raises(PushError, match="is deleted on the portal; restore or purge it"):
            push(two_releases, portal)

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_dead_key_is_noticed_when_there_is_nothing_to_do(self, two_releases: Path, portal: Ckan, dry_run: bool) -> None:
        push(two_releases, portal)
        with pytest.raises(PushError, match="does not accept the key"):
            push(two_releases, portal, key="a-wrong-key", dry_run=dry_run)

    def test_one_dataset_does_not_keep_others_from_being_pushed(self, two_releases: Path, portal: Ckan) -> None:
        push(two_releases, portal, FIRST)
        shown(portal, "demo-territory")["state"] = "deleted"
        shown(portal, "demo-women")["state"] = "draft"
        done = run(two_releases, portal)
        assert done.returncode == 1
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["demo-women", "demo-territory"]
        assert "(1 of 3 datasets are up to date; the same command continues from here)" in done.stderr
        versions = {p["name"]: p["version"] for p in portal.packages.values()}
        assert versions == {**dict.fromkeys(DATASETS, SECOND), "demo-territory": FIRST, "demo-women": FIRST}

    def test_one_dataset_with_server_error_does_not_keep_others_from_being_pushed(self, two_releases: Path, portal: Ckan) -> None:
        portal.write_faults = {n: Fault(500) for n in range(1, FAST.attempts + 1)}
        with pytest.raises(PushError, match=r"gave up after 4 attempts \(2 of 3 datasets"):
            push(two_releases, portal)
        assert len(portal.packages) == 2

    def test_address_is_not_a_portal(self, two_releases: Path) -> None:
        with other_server() as server:
            server.routes["/api/3/action/package_show"] = lambda asked: Reply(200, b"<html>welcome</html>", {"Content-Type": "text/html"})
            done = command(
                "ckan", "--home", two_releases, "--url", server.url, "--api-key-env", VARIABLE, **{VARIABLE: "a-key"},
            )  # fmt: skip
        assert done.returncode == 1
        assert "is --url the address of a CKAN" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "variables", "words"),
        [
            (["--api-key-env", VARIABLE], {}, "ZPO2_SECRET_PORTAL is not set"),
            (["--api-key-env", VARIABLE], {VARIABLE: " "}, "ZPO2_SECRET_PORTAL is not set"),
            (["--api-key-env", "HOME"], {}, "ZPO2_SECRET_<NAME>"),
            (["--api-key-env", "zpo2_secret_portal"], {}, "ZPO2_SECRET_<NAME>"),
            (["--api-key-env", VARIABLE], {VARIABLE: "a\u00e9b"}, "has characters that no key has"),
            (["--api-key-env", VARIABLE], {VARIABLE: "k", f"{VARIABLE}_HOSTS": "other.example.org"}, "does not name 127.0.0.1"),
            (["--api-key-env", VARIABLE, "--url", "portal"], {VARIABLE: "k"}, "expected the address of a portal"),
            (["--api-key-env", VARIABLE, "--url", "ftp://127.0.0.1/"], {VARIABLE: "k"}, "expected the address of a portal"),
            (["--api-key-env", VARIABLE, "--url", "https://a:b@127.0.0.1/"], {VARIABLE: "k"}, "must not contain a user or password"),
            (["--api-key-env", VARIABLE, "--url", "http://portal.example.org"], {VARIABLE: "k"}, "unencrypted"),
            (["--api-key-env", VARIABLE, "--url", "https://[::1"], {VARIABLE: "k"}, "is not a valid address"),
            (["--api-key-env", VARIABLE, "--prefix", "not a name"], {VARIABLE: "k"}, "is not a valid name of a dataset"),
            (["--api-key-env", VARIABLE, "--version", "2020.01.1"], {VARIABLE: "k"}, "no such release"),
        ],
    )
    def test_wrong_command_exits_with_2(
        self, two_releases: Path, portal: Ckan, arguments: list[str], variables: dict[str, str], words: str
    ) -> None:
        done = command("ckan", "--home", two_releases, "--url", portal.url, *arguments, **variables)
        assert done.returncode == 2
        assert words in done.stderr
        assert portal.writes == []


class TestApiKey:
    def test_is_never_printed(self, two_releases: Path, portal: Ckan) -> None:
        wrong, portal.names_refused_keys = "a-wrong-key-0123456789", True
        done = run(two_releases, portal, key=wrong)  # the portal repeats the key in its refusal
        assert done.returncode == 1
        assert portal.keys == {wrong}
        assert "not authorized (***)" in done.stderr
        assert wrong not in done.stdout + done.stderr
        right = run(two_releases, portal)
        assert right.returncode == 0
        assert portal.key not in right.stdout + right.stderr
        assert all(portal.key not in p.read_text(encoding="utf-8", errors="replace") for p in two_releases.glob("*.jsonl"))

    def test_is_not_sent_to_redirect(self, two_releases: Path, portal: Ckan) -> None:
        with other_server() as elsewhere:
            portal.read_faults = {n: Fault(302, {"Location": f"{elsewhere.url}/api/3/action/package_show"}) for n in range(1, 9)}
            done = run(two_releases, portal)
            assert done.returncode == 1
            assert f"redirects to {elsewhere.url}" in done.stderr
            assert elsewhere.requests == []
            portal.read_faults, portal.write_faults = {}, {1: Fault(308, {"Location": f"{elsewhere.url}/api/3/action/package_create"})}
            assert run(two_releases, portal).returncode == 1
            assert elsewhere.requests == []

    def test_is_not_sent_to_proxy(self, two_releases: Path, tmp_path: Path, portal: Ckan) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
        (tmp_path / ".netrc").chmod(0o600)
        done = command(
            "ckan", "--home", two_releases, "--url", portal.url, "--api-key-env", VARIABLE, "--owner-org", "office",
            **{VARIABLE: portal.key, "HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert portal.keys == {portal.key}

    def test_is_not_repeated_when_given_as_variable(self, two_releases: Path, portal: Ckan) -> None:
        done = command("ckan", "--home", two_releases, "--url", portal.url, "--api-key-env", "eyJhbGciOiJIUzI1NiJ9")
        assert done.returncode == 2
        assert "eyJ" not in done.stdout + done.stderr


# --------------------------------------------------------------------------------------------------------------- parts


class TestPortalAddress:
    @pytest.mark.parametrize("url", ["http://localhost:5000", "http://127.0.0.1", "https://data.example.org/portal/"])
    def test_accepts_https_and_loopback(self, url: str) -> None:
        assert ckan_client.portal_address(url) == url.rstrip("/")

    def test_requires_permission_for_http(self) -> None:
        with pytest.raises(UsageError, match="ZPO2_ALLOW_HOSTS"):
            ckan_client.portal_address("http://ckan.office")
        assert ckan_client.portal_address("http://ckan.office", {"ckan.office"}) == "http://ckan.office"


class TestPackage:
    def test_lists_several_territories_by_name(self) -> None:
        places = [{"uri": f"http://example.org/{code}", "text": code} for code in ("CZ", "SK")]
        dataset = ckan_fields.Dataset("areas", "v4-areas", {"title": "Areas"}, (), {"spatial_coverage": places})
        flat = ckan_schema.package(dataset, ckan_schema.Schema(), upload=False, owner_org=None)
        assert dict(flat.extras) == {"spatial_text": "CZ, SK"}
        schema = ckan_schema.Schema.from_json(
            {"dataset_fields": [{"field_name": "spatial_coverage", "repeating_subfields": [{"field_name": "uri"}]}]}
        )
        nested = ckan_schema.package(dataset, schema, upload=False, owner_org=None)
        assert nested.fields["spatial_coverage"] == [{"uri": "http://example.org/CZ"}, {"uri": "http://example.org/SK"}]


class TestDifference:
    def test_shows_where_long_texts_differ(self) -> None:
        old, new = "x" * 200 + "one", "x" * 200 + "two"
        text = str(ckan_schema.Difference(None, "notes", old, new))
        assert "one" in text
        assert "two" in text
        assert len(text) < 120

"""How a run ended: the counts, the gate, the release and the exit code; and whether another run would give the same."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

from packaging.requirements import Requirement
from pydantic import Field, field_validator

from exports.model import provenance
from exports.model.errors import ReleaseError
from exports.release import ledger
from exports.site import built
from pipelines.core import versions
from pipelines.core.errors import ExitCode
from pipelines.core.fingerprint import digest
from pipelines.core.state import NEXT_RUN, StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.source_state import SourceStates, parts_of
from pipelines.lake.manifest import Manifest
from pipelines.packs import site
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import SourceCounts
from pipelines.warehouse import condition, dbt
from quality.completeness import ValueCount


class ReleaseOutcome(StateFile):
    """The current release after a run; `changed`: the run made it. `set_aside` says why the same content is not published again.

    `over_budget` says why a release that the run made is larger than it should be.
    """

    version: str
    path: str
    changed: bool
    tables: dict[str, int]
    set_aside: str = ""
    over_budget: list[str] = Field(default_factory=list)


class _Report(StateFile):
    """What this module reads of the quality report of a release."""

    CURE: ClassVar[str] = "`zpo2 verify` names all damaged files of the release"
    rows: dict[str, int] = Field(default_factory=dict)


class RunOutcome(StateFile):
    """The outcome of a run, as `last_run.json` keeps it and `zpo2 run --json` prints it.

    `inputs_key` and `lake_key` are what the functions of these names returned at the end of the run. `lake_key` is empty where the run
    failed before the gate or the release had decided what becomes of the lake.
    """

    CURE: ClassVar[str] = NEXT_RUN

    inputs_key: str = ""
    lake_key: str = ""
    ended_at: str = ""
    sources: dict[str, SourceCounts] = Field(default_factory=dict)
    errors: dict[str, str] = Field(default_factory=dict)
    stale: dict[str, str] = Field(default_factory=dict)
    gate: dict[str, Any] = Field(default_factory=dict)
    repaired: list[str] = Field(default_factory=list)
    values: list[ValueCount] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list)
    release: ReleaseOutcome | None = None
    exit_code: int = ExitCode.FAILED
    run: str = ""
    """Dagster's identifier of the run."""

    @field_validator("release", mode="before")
    @classmethod
    def _no_release(cls, value: Any) -> Any:
        return value or None  # earlier versions wrote {} for no release

    @classmethod
    def last(cls, workspace: WorkspaceFolder) -> RunOutcome:
        """Return the outcome of the last finished run, or an empty one."""
        return cls.load(workspace.last_run) or cls()

    def as_dict(self, *, unchanged: bool) -> dict[str, Any]:
        """Return the outcome as the command prints it; `unchanged`: the run had nothing to do."""
        return {
            **self.model_dump(mode="json", exclude={"run"}),
            "release": self.release.model_dump() if self.release else {},
            "unchanged": unchanged,
        }


def inputs_key(workspace: Workspace) -> str:
    """Return a hash of everything a release is made from: declarations, snapshots, stages, the dbt project and the libraries."""
    states = SourceStates(workspace.fetch_state)
    snapshots = [
        [source.id, part.name, state.sha256, state.good, bool(state.faults), state.stale_since, state.is_accepted(state.sha256)]
        for source in workspace.pack.sources.values()
        for part in parts_of(workspace.pack, source, states)
        for state in [states.get(source.id, part.name)]
    ]
    logo = hashlib.sha256(site.choices(workspace.pack).logo).hexdigest()
    interface = built.digest() if "site" in workspace.pack.file.formats else ""
    return digest(
        [workspace.pack.digest, logo, interface, snapshots, versions.STAGES, dbt.project_digest(), _libraries(), workspace.settings.engine]
    )


def lake_key(workspace: Workspace) -> str:
    """Return a hash of everything that the steps after the ingest depend on: the lake, stages, the dbt project and the libraries."""
    return digest([Manifest.current(workspace).digest, versions.STAGES, dbt.project_digest(), _libraries(), workspace.settings.engine])


@lru_cache(maxsize=1)
def _libraries() -> list[tuple[str, str]]:
    """Return the installed version of each library that the project requires at run time."""
    required = [Requirement(line) for line in metadata.requires("zpo2-warehouse") or []]
    return sorted((r.name, metadata.version(r.name)) for r in required if r.marker is None or r.marker.evaluate({"extra": ""}))


def is_unchanged(workspace: Workspace) -> bool:
    """Whether the last run ended with a release of exactly these inputs, that release is still the current one, and so is the warehouse."""
    last = RunOutcome.last(workspace)
    if last.release is None or last.exit_code not in (ExitCode.CURRENT, ExitCode.STALE) or last.inputs_key != inputs_key(workspace):
        return False
    if not condition.is_current(workspace):
        return False
    latest = ledger.read_latest(workspace.public)
    if latest is None or not (workspace.public / latest.path).is_dir():
        return False
    return bool(latest.version == last.release.version or _superseded(workspace, last.release.version))


def standing_release(workspace: WorkspaceFolder, last: ReleaseOutcome) -> ReleaseOutcome:
    """Return the current release for a run that publishes nothing, and why the release that it would publish again was taken back."""
    latest = ledger.read_latest(workspace.public)
    assert latest is not None
    return ReleaseOutcome(
        version=latest.version, path=str(workspace.public / latest.path), changed=False,
        tables=release_rows(workspace.public), set_aside=_superseded(workspace, last.version),
    )  # fmt: skip


def _superseded(workspace: WorkspaceFolder, version: str) -> str:
    try:
        return str(ledger.superseded(workspace.public, version) or "")
    except ReleaseError:
        return ""  # the run itself reports what is wrong with the ledger


def release_path(public: Path) -> Path | None:
    """Return the folder of the current release; None where there is none."""
    latest = ledger.read_latest(public)
    return public / latest.path if latest else None


def is_of_these_stages(release: Path) -> bool:
    """Whether this version of the software publishes the same rows from the same inputs as the version that made `release`."""
    facts = provenance.read(release)
    return facts is not None and facts.get("code") == versions.STAGES


def release_rows(public: Path) -> dict[str, int]:
    """Return the rows of each table of the current release."""
    folder = release_path(public)
    report = _Report.load_if_whole(folder / "quality" / "report.json") if folder else None
    return report.rows if report else {}

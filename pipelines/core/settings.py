"""Every environment variable that the project reads. Holds no secrets: they are read by name at the moment they are sent."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines import bundled


class Settings(BaseSettings):
    """Settings from the environment; command-line options override `pack` and `home`."""

    model_config = SettingsConfigDict(env_prefix="ZPO2_", env_ignore_empty=True, extra="ignore")

    pack: Path = Field(
        default_factory=bundled.default_pack, description="Folder of the pack; default packs/demo, else the built-in demo pack."
    )
    home: Path | None = Field(default=None, description="Folder of everything a run writes; default data/<pack id> of the working folder.")
    mirror: Path | None = Field(default=None, description="Folder `<host>/<path>` that answers instead of the network.")
    allow_hosts: str = Field(default="", description="Comma-separated hosts that may be fetched although they are private.")
    memory: str | None = Field(
        default=None, description="Memory that a run may use, such as 4GB; default half of the machine's, or of its control group's."
    )
    spill: str | None = Field(
        default=None,
        description="Limit of the disk space that a run may use for what does not fit into memory, such as 200GB; default 90 % of the free space.",
    )
    fetch_deadline: float = Field(
        default=600, gt=0, description="Seconds that one part of a source may take in all, whatever its server does; default 600."
    )
    fetch_optional_deadline: float = Field(
        default=1200,
        gt=0,
        description="Seconds that all optional sources may take together; default 1200. Required ones are fetched before.",
    )
    fetch_response_timeout: float = Field(
        default=90, gt=0, description="Seconds until the body of a response must begin, after redirects and retries; default 90."
    )
    fetch_bytes: int = Field(
        default=2 * 1024**3,
        gt=0,
        description="Bytes of one response or of all pages of one part of a source, packed and unpacked; default 2 GiB.",
    )
    read_memory: str | None = Field(
        default=None,
        description="Largest memory for reading files, such as 4GB, the default. A small file may use 2 GB, a large one more, and the rows of a "
        "source may need 45 % of it in later steps.",
    )
    read_seconds: float | None = Field(
        default=None,
        gt=0,
        description="Largest CPU time for reading one file, in seconds; default 600. A small file may use 30, a large one more.",
    )
    read_rows: int | None = Field(default=None, gt=0, description="Largest number of rows of one file; default 50 million.")
    engine: Literal["duckdb", "spark"] = Field(default="duckdb", description="Engine of the warehouse: duckdb (default) or spark.")
    profiles: Path | None = Field(
        default=None, description="Folder of a profiles.yml for dbt, which names a cluster; default that of the dbt project: this machine."
    )
    source_date_epoch: int | None = Field(default=None, validation_alias="SOURCE_DATE_EPOCH", description="Replaces the clock.")

    def home_of(self, pack_id: str) -> Path:
        return (self.home or Path("data") / pack_id).absolute()

    def now(self) -> datetime:
        """Return the time of the run in UTC, whole seconds."""
        if self.source_date_epoch is not None:
            return datetime.fromtimestamp(self.source_date_epoch, UTC)
        return datetime.now(UTC).replace(microsecond=0)

    def folder(self, name: str) -> Path | None:
        """Return the folder that the operator named `ZPO2_DIR_<name>`."""
        value = os.environ.get(f"ZPO2_DIR_{name}")
        return Path(value) if value else None

    def allowed_hosts(self) -> set[str]:
        """Return the hosts, in lower case and with an optional port, that may be fetched although their address is private."""
        return {host.strip().lower() for host in self.allow_hosts.split(",") if host.strip()}

    def secret_hosts(self, variable: str) -> set[str]:
        """Return the hosts to which the operator lets a secret be sent: those in `<variable>_HOSTS`."""
        return {host.strip().lower() for host in os.environ.get(f"{variable}_HOSTS", "").split(",") if host.strip()}

    def secret(self, variable: str) -> str | None:
        """Return the secret in `variable`, whose name the pack gives and the model restricts to `ZPO2_SECRET_*`."""
        return os.environ.get(variable)

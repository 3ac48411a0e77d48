"""Errors that several packages of `exports` raise."""

from __future__ import annotations

from pipelines.core.errors import ExitCode, Zpo2Error


class ReleaseError(Zpo2Error):
    """A release cannot be built, published or read. The current release is unchanged."""


class DiskFullError(ReleaseError):
    """A folder is full, or the temporary files have reached their limit. The message names the folder and the sizes."""


class MemoryLimitError(ReleaseError):
    """A step needs more memory than it may use, and has no temporary files to use instead."""


class ReleaseRequestError(ReleaseError):
    """The request does not fit the releases that exist, for example because the version is unknown. Nothing was changed."""

    exit_code = ExitCode.WRONG

"""Errors of a push. An option that is wrong is a UsageError, and a release that cannot be pushed is a ReleaseRequestError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.core.errors import Zpo2Error


class PushError(Zpo2Error):
    """The target refused or failed, or the release is damaged. The same command continues where this one stopped."""


class GaveUpError(PushError):
    """A request was repeated until the retry policy gave up."""


class TemporaryError(Zpo2Error):
    """A request failed for a reason that may disappear. `retry_after` is the number of seconds that the server asks to wait, if any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFoundError(Zpo2Error):
    """The portal does not have the object, or does not show it to this user."""


class RejectedError(PushError):
    """The portal does not accept the values. `fields` has its reasons by field."""

    def __init__(self, message: str, fields: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.fields = fields

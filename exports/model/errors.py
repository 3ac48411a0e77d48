"""Errors of releases."""

from __future__ import annotations

from pipelines.core.errors import Zpo2Error


class ReleaseError(Zpo2Error):
    """A release cannot be built or published; the last one stands."""

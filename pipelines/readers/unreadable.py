"""The error that all readers raise."""

from pipelines.core.errors import Zpo2Error


class UnreadableSnapshot(Zpo2Error):
    """The bytes do not have the format that the pack declares. The message names the line, row, member or key where reading stopped."""

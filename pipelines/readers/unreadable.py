"""The error that all readers raise."""

from pipelines.core.errors import Zpo2Error
from pipelines.core.printable import printable, shortened

MAX_TEXT = 2_000
"""Characters of a message; libraries and files may give texts of any length."""


class UnreadableSnapshot(Zpo2Error):
    """The bytes do not have the format that the pack declares. The message names the line, row, member or key where reading stopped.

    Control characters and unpaired surrogates of the file are escaped in it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shortened(printable(message), MAX_TEXT))

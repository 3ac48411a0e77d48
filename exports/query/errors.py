"""The error of a question that cannot be answered as it was asked."""

from __future__ import annotations

from exports.model.errors import ReleaseError
from pipelines.core.errors import ExitCode


class QueryError(ReleaseError):
    """A question cannot be answered as it was asked. The message is in the language of the question and says what to ask instead."""

    exit_code = ExitCode.WRONG

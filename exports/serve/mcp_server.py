"""The tools of `zpo2 mcp`: questions to a release through the Model Context Protocol. Read-only; `exports.query` answers.

A question that cannot be answered is an error result whose text says what to ask instead. Unexpected errors say nothing about the machine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import BeforeValidator, Field, ValidationError

from exports.model.errors import ReleaseError
from exports.query import explain, formulas, ranking, search, values
from exports.query.answers import (
    CompareAnswer,
    ExplainAnswer,
    GroupAnswer,
    IndexAnswer,
    IndicatorsFound,
    PeersAnswer,
    PlacesFound,
    RankAnswer,
    ReleaseAnswer,
    SeriesAnswer,
    Sex,
    ValueAnswer,
)
from exports.query.current import CurrentRelease
from exports.query.errors import QueryError
from exports.query.release import PublishedRelease

_log = logging.getLogger("zpo2.mcp")
LONGEST_TEXT = 120
MOST_COMPARED = 20
MOST_GROUPED = 300
LARGEST_PAGE = 50
LARGEST_OFFSET = 1_000_000
READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
INSTRUCTIONS = """\
Statistical indicators of places (municipalities, districts, regions, states) from one published release of open data.
Find identifiers with search_places and search_indicators; all other tools also take names and titles, without diacritics if need be.
If several places have a name, the error lists them: ask again with the code. Without a period, the newest one answers.
A value of null means that the release has no number: say the reason in `missing`, and never put a number in its place.
Say "better", "worse", "higher" or "lower" only where `comparisons` says so, with its significance. Use get_group_value for several places together;
do not average values. Name unit, period, the sources in `attribution` and the version in `release`.
"""


def _as_text(value: Any) -> Any:
    """A year that comes as a number is the year as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
Place = Annotated[Text, Field(description="Code of a place, or its name; a district can follow: 'Čistá, Rakovník'")]
OptionalPlace = Annotated[Text | None, Field(description="Code or name of a place")]
Indicator = Annotated[Text, Field(description="Identifier or title of an indicator")]
Period = Annotated[
    Annotated[str, Field(max_length=10)] | None,
    BeforeValidator(_as_text),
    Field(description="Year (2020), quarter (2020-Q1), month (2020-01) or day; default: the newest with values"),
]
Level = Annotated[Annotated[str, Field(max_length=40)] | None, Field(description="Level of the places; about_release lists the levels")]
Sexes = Annotated[Sex, Field(description="F women, M men, _T both")]
Age = Annotated[str, Field(min_length=1, max_length=20, description="Age group; _T all")]
Language = Annotated[
    Annotated[str, Field(max_length=10)] | None, Field(description="Language of the answer, such as cs or en; default: that of the release")
]
Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="Most entries of the answer")]
Offset = Annotated[int, Field(ge=0, le=LARGEST_OFFSET, description="Entries to pass over: next_offset of the answer before")]
Component = Annotated[
    Annotated[str, Field(max_length=LONGEST_TEXT)] | None, Field(description="Component of the index; default: the whole")
]
Objective = Annotated[Annotated[str, Field(max_length=40)] | None, Field(description="Only indicators of this objective, such as ZPO2-1")]
Query = Annotated[str, Field(max_length=LONGEST_TEXT)]


class QueryServer(MCPServer[None]):
    """A server whose errors are plain sentences, and which refuses arguments that a tool does not have."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Raises ToolError with the text of the error result."""
        known = {tool.name: tool.input_schema.get("properties", {}) for tool in await self.list_tools()}
        if name not in known:
            raise ToolError(f"There is no such tool. The tools are: {', '.join(known)}.")
        if unknown := sorted(set(arguments) - set(known[name])):
            shown = ", ".join(argument[:LONGEST_TEXT] for argument in unknown[:5])
            raise ToolError(f"{name} has no argument {shown}. It has: {', '.join(known[name])}.")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, QueryError):
                raise ToolError(str(cause)) from None
            if isinstance(cause, ValidationError):
                faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in cause.errors()[:5]]
                raise ToolError("; ".join(faults)) from None
            if isinstance(cause, ReleaseError):
                _log.error("%s", cause)
                raise ToolError("The release cannot be read at the moment.") from None
            raise


def server(folder: Path) -> MCPServer[None]:
    """Return a server that answers from the release in `folder`, or from the current one of a public folder. Raises ReleaseError."""
    current = CurrentRelease(folder)
    about = current().about
    mcp_server = QueryServer(
        "zpo2", title=about.title, version=about.version, instructions=INSTRUCTIONS, log_level="ERROR", subscriptions=False
    )  # fmt: skip
    for tool in Tools(current).all():
        mcp_server.add_tool(tool, title=(tool.__doc__ or "").split(".")[0], annotations=READ_ONLY)
    return mcp_server


class Tools:
    """The tools. Their docstrings and annotations are what a client reads. `current` returns the release that they answer from."""

    def __init__(self, current: Callable[[], PublishedRelease]) -> None:
        self._current = current

    def all(self) -> list[Callable[..., Any]]:
        """Return the tools in the order in which clients see them."""
        return [
            self.about_release, self.search_places, self.search_indicators, self.get_value, self.get_series, self.compare_places,
            self.rank_places, self.get_index, self.get_peers, self.get_group_value, self.explain_value,
        ]  # fmt: skip

    def about_release(self, language: Language = None) -> ReleaseAnswer:
        """What the release contains. Version, licence, levels of places, measures and the data they lack, indices, and the codes of statuses."""
        return explain.about(self._current(), language)

    def search_places(
        self,
        query: Text,
        level: Level = None,
        within: OptionalPlace = None,
        limit: Limit = 10,
        offset: Offset = 0,
        language: Language = None,
    ) -> PlacesFound:
        """Find places by name or code. Diacritics and small typing mistakes do not matter; namesakes are told apart by `within`."""
        return search.search_places(self._current(), query, level=level, within=within, limit=limit, offset=offset, language=language)

    def search_indicators(
        self, query: Query = "", *, objective: Objective = None, only_with_data: bool = False, limit: Limit = 10, offset: Offset = 0,
        language: Language = None,
    ) -> IndicatorsFound:  # fmt: skip
        """Find indicators by words of their titles and descriptions. An empty query lists all. Says which periods and levels have data."""
        return search.search_indicators(
            self._current(), query, objective=objective, only_with_data=only_with_data, limit=limit, offset=offset, language=language
        )

    def get_value(
        self, indicator: Indicator, place: Place, *, period: Period = None, sex: Sexes = "_T", age: Age = "_T", level: Level = None,
        language: Language = None,
    ) -> ValueAnswer:  # fmt: skip
        """Get one value. With unit, period, status, interval, sources and comparisons; or why there is none and who could supply it."""
        return values.value(self._current(), indicator, place, period=period, sex=sex, age=age, level=level, language=language)

    def get_series(
        self, indicator: Indicator, place: Place, *, first: Period = None, last: Period = None, sex: Sexes = "_T", age: Age = "_T",
        level: Level = None, limit: Limit = LARGEST_PAGE, offset: Offset = 0, language: Language = None,
    ) -> SeriesAnswer:  # fmt: skip
        """Get all periods of an indicator for one place. With breaks in the series and whether it changed by more than chance."""
        return values.series(
            self._current(),
            indicator,
            place,
            first=first,
            last=last,
            sex=sex,
            age=age,
            level=level,
            limit=limit,
            offset=offset,
            language=language,
        )

    def compare_places(
        self, indicator: Indicator, places: Annotated[list[Place], Field(min_length=1, max_length=MOST_COMPARED)], *, period: Period = None,
        sex: Sexes = "_T", age: Age = "_T", level: Level = None, language: Language = None,
    ) -> CompareAnswer:  # fmt: skip
        """Compare places in the same period. Each value with what the release compares it with: the state, and similar places."""
        return values.compare(self._current(), indicator, places, period=period, sex=sex, age=age, level=level, language=language)

    def rank_places(
        self, indicator: Indicator, *, within: OptionalPlace = None, level: Level = None, period: Period = None,
        order: Literal["highest", "lowest"] = "highest", place: OptionalPlace = None, sex: Sexes = "_T", age: Age = "_T",
        limit: Limit = 10, offset: Offset = 0, language: Language = None,
    ) -> RankAnswer:  # fmt: skip
        """Order the places of a territory by value. With the positions that chance allows; `place` also returns the position of one place."""
        return ranking.rank(
            self._current(), indicator, within=within, level=level, period=period, order=order, place=place, sex=sex, age=age, limit=limit,
            offset=offset, language=language,
        )  # fmt: skip

    def get_index(
        self, index: Annotated[Text, Field(description="Identifier or title of an index; about_release lists them")], *, component: Component = None,
        within: OptionalPlace = None, place: OptionalPlace = None, period: Period = None, limit: Limit = 10, offset: Offset = 0,
        language: Language = None,
    ) -> IndexAnswer:  # fmt: skip
        """Get places in an index. By rank where ranks hold, otherwise only by fifths, of which 1 is the best."""
        return ranking.index(
            self._current(),
            index,
            component=component,
            within=within,
            place=place,
            period=period,
            limit=limit,
            offset=offset,
            language=language,
        )

    def get_peers(
        self, place: Place, indicator: Annotated[Text | None, Field(description="Indicator whose values to show")] = None, period: Period = None,
        level: Level = None, language: Language = None,
    ) -> PeersAnswer:  # fmt: skip
        """Get the places most like a place. With their values of an indicator, and how the place compares with them together."""
        return ranking.peers(self._current(), place, indicator, period=period, level=level, language=language)

    def get_group_value(
        self, indicator: Indicator, places: Annotated[list[Place], Field(min_length=1, max_length=MOST_GROUPED)], *, period: Period = None,
        sex: Sexes = "_T", age: Age = "_T", level: Level = None,
        skip_missing: Annotated[bool, Field(description="Leave places without a value out; the answer names them")] = False,
        language: Language = None,
    ) -> GroupAnswer:  # fmt: skip
        """Compute the value of several places together. From the sums of numerators and denominators, not as a mean of values."""
        return formulas.group(
            self._current(), indicator, places, period=period, sex=sex, age=age, level=level, skip_missing=skip_missing, language=language
        )

    def explain_value(
        self, indicator: Indicator, place: Place, *, period: Period = None, sex: Sexes = "_T", age: Age = "_T", level: Level = None,
        language: Language = None,
    ) -> ExplainAnswer:  # fmt: skip
        """Explain a value. The formula with its figures, sources with files and checksums, breaks, and the command that traces it further."""
        return explain.explain(self._current(), indicator, place, period=period, sex=sex, age=age, level=level, language=language)

"""The parts of dagster-dbt that turn dbt's manifest and messages into Dagster's assets and events.

dagster-dbt works without dbt, too, as it must where dbt is not the Python package. Here dbt is installed, but only its own process imports it,
so dagster-dbt does not find it either: that saves two seconds and a hundred megabytes in each process of Dagster.
"""

import sys

_MARK = "dbt.version"  # what dagster-dbt imports to find out whether dbt is installed

_is_hidden = _MARK not in sys.modules
if _is_hidden:
    sys.modules[_MARK] = None  # type: ignore[assignment]  # the import raises ImportError
try:
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
    from dagster_dbt.asset_utils import get_subset_selection_for_context
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
finally:
    if _is_hidden:
        del sys.modules[_MARK]

__all__ = ["DagsterDbtTranslator", "DagsterDbtTranslatorSettings", "DbtCoreCliEventMessage", "get_subset_selection_for_context"]

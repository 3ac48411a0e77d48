"""The parts of dagster-dbt that turn dbt's manifest and messages into Dagster's assets and events.

dagster-dbt works without dbt, too, as it must where dbt is not the Python package. Here dbt is installed, but only its own process imports it,
so dagster-dbt does not find it either: that saves two seconds and a hundred megabytes in each process of Dagster. Nor does it find its own
clients of dbt's hosted service, which import gRPC. Whoever imports these modules later gets the real ones.
"""

from pipelines.core.imports import Empty, stand_ins

_INSTALLED = "dbt.version"  # what dagster-dbt imports to find out whether dbt is installed
_HOSTED = ("dagster_dbt.cloud", "dagster_dbt.cloud_v2", "dagster_dbt.cloud_v2.component")

with stand_ins({_INSTALLED: None, **{name: Empty(name) for name in _HOSTED}}):
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
    from dagster_dbt.asset_utils import get_subset_selection_for_context
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

__all__ = ["DagsterDbtTranslator", "DagsterDbtTranslatorSettings", "DbtCoreCliEventMessage", "get_subset_selection_for_context"]

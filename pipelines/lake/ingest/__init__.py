"""From fetched snapshots to one state of the lake: read, validate, map, account for every row, write the manifest. No Dagster, no dbt."""

from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.ingest.run import UNKNOWN_PARENTS, UNKNOWN_REFERENCES, WITHOUT_PARENT, Ingest

__all__ = ["UNKNOWN_PARENTS", "UNKNOWN_REFERENCES", "WITHOUT_PARENT", "Ingest", "SourceReport"]

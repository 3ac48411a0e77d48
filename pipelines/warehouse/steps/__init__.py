"""Functions that dbt's Python models call: relations of the warehouse in, one table out. The statistics are in `pipelines.statistics`."""

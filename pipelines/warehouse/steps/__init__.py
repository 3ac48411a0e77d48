"""What dbt's Python models call: relations of the warehouse in, one table out. Statistics are in `pipelines.statistics`."""

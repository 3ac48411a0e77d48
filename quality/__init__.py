"""Checks: the contracts of source rows, expectations on the published tables, and the gate. Nothing here imports Dagster."""

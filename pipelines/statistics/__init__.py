"""Statistics that SQL cannot say: pure functions on arrays. Nothing here knows of packs, files, Dagster or dbt."""

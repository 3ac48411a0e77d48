"""Dagster assets, in the order of the data: ingest, warehouse, publication. What they do is written elsewhere; here it is only wired."""

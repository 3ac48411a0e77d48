"""Everything that imports Dagster: definitions, resources, jobs, sensors, assets, and the runner of the command line."""

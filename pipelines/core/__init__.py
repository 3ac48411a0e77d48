"""What every other package may import: workspace, atomic files, settings, schedules, YAML, SQL quoting, logs. Knows nothing of packs."""

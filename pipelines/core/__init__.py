"""What every other package may import: workspace, atomic and state files, locks, errors, settings, schedules, YAML, SQL quoting, logs.

Knows nothing of packs.
"""

"""One run of a pack: what was requested, what it found, how it ended, and what a release was made from. No Dagster."""

"""CloudEvents that others push: parsed, kept durably, handed to the sources they concern. Starts no run; no Dagster."""

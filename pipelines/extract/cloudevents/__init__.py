"""CloudEvents that others push: parsed, stored durably, and turned into snapshots of the sources they affect. Starts no run."""

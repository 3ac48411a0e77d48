"""What the `zpo2` command does beyond running a pack, and how it shows things. `pipelines.cli` is the command itself."""

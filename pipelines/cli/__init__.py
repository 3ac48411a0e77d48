"""The `zpo2` command, one module per group of commands."""

"""`python -m pipelines.cli`: the `zpo2` command without its script."""

from pipelines.cli.entry import main

main()

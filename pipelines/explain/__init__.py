"""Explain one published number: from the row of the release back to the rows of the files it comes from. Only reads.

The number is recomputed by rules that are written a second time here, so that both results can be compared: `cell_key`, `warehouse` (facts),
`cells`, `formula`, `parents`. `provenance` and `reread` return to the archived bytes behind its inputs. `service` puts everything together into
an `explanation`; `reasons`, `arithmetic` and `render` put it into words.
"""

"""Explain one published number: from the row of the release back to the rows of the files it was made from. Only reads; computes anew.

question -> warehouse (facts) -> cells -> formula -> parents: the number, by rules that are written a second time here so that the two can be
compared; evidence and replay: what stands behind its inputs; inquiry puts them together, reasons, arithmetic and telling say it.
"""

"""Explain one published number: from the row of the release back to the rows of the files it was made from. Only reads; computes anew."""

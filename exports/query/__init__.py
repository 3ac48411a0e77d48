"""Questions to a published release: places, indicators, values, ranks, peers and explanations. Reads only the Parquet files of the release.

Functions return typed answers (`exports.query.answers`), and raise QueryError with what to do where a question cannot be answered.
"""

"""The files for programs below `api/v1`: a read-only interface that is only files. They are made from the Parquet files of a release.

Every area has a number, its place in `areas.json`; other files use the number in place of the code. The areas of a level are consecutive.
"""

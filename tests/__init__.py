"""The tests. They say themselves what they need from the environment: what the caller has set for other work does not reach them.

This runs before any module that reads the environment is imported.
"""

import os

CLEARED = ("ZPO2_", "DAGSTER_", "DBT_")

for name in [name for name in os.environ if name.startswith(CLEARED) or name == "SOURCE_DATE_EPOCH"]:
    del os.environ[name]

"""The tests. They say themselves what they need from the environment: what the caller has set for other work does not reach them.

This runs before any module that reads the environment is imported.
"""

import os
from pathlib import Path

CLEARED = ("ZPO2_", "DAGSTER_", "DBT_")

for name in [name for name in os.environ if name.startswith(CLEARED) or name == "SOURCE_DATE_EPOCH"]:
    del os.environ[name]

# dbt's parsed project, which all homes share; the cache of the caller stays as it is
os.environ["XDG_CACHE_HOME"] = str(Path(__file__).resolve().parent.parent / "build" / "cache")

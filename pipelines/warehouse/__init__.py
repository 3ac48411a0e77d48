"""How dbt is called, the statistics between its two selections, and the marts that result."""

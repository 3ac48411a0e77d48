"""How dbt is called, and what its Python models call."""

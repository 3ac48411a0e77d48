"""Who checks what: contracts of source rows, expectations on published tables, and the gate. Knows nothing of Dagster."""

-- grain: one row per file of the lake that this warehouse was built from
{{ lake_files() }}

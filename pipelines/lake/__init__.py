"""The lake: canonical Parquet files, their manifests, and the steps that turn snapshots into them."""

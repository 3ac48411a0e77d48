"""What changed between two releases: the table `changes`, its view, and the numbers of the CHANGELOG. Reads Parquet files only."""

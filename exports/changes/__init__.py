"""What changed between two releases: the table `changes`, its view, and the numbers for the CHANGELOG. Reads only Parquet files."""

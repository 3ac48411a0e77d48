"""Write the table files of a release; one module per format. They do not change values: `prepare_table` prepares what they write."""

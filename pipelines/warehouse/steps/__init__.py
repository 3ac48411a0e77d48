"""From relations of the warehouse to the arrays of `pipelines.statistics`, and from its results to tables."""

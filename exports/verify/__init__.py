"""Check a release folder offline: checksums, descriptors, and the equality of its formats."""

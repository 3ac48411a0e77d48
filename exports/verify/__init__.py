"""Verify a release folder offline: checksums, descriptors, and whether its formats have the same content."""

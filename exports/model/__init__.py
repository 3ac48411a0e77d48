"""What a release consists of: tables, columns, keys, files, checksums, and the facts that describe it. Writes nothing but checksums."""

"""Build, publish and manage releases: the transaction, the ledger, the feed and what an operator does to a release."""

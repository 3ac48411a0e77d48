"""The release transaction, the ledger of releases, and what an operator does to a published release."""

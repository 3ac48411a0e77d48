"""From sources to snapshots: fetch, poll, receive and archive bytes, and remember the state of each source. Readers read the rows."""

"""Events that others push: parsed, kept durably, handed to the sources they concern. Starts no run; no Dagster.

`cloudevents` knows the standard, `queue` keeps what was accepted, `receiver` is the web application, `drain` turns a segment of the queue
into snapshots.
"""

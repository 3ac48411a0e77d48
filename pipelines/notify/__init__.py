"""Messages to the operator and to subscribers of releases, sent to webhooks."""

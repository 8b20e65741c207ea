"""The thin edge: webhooks into the log, queries out of the database, events to dashboards. Never imports bytewax or the engine."""

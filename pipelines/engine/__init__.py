"""The only place besides the flows that imports bytewax: sources, sinks, and adapters from pure machines to kept state."""

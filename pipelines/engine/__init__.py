"""pipelines/engine."""

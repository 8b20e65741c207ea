"""pipelines/domain."""

"""pipelines/connectors."""

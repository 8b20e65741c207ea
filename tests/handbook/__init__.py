"""The documentation: its snippets run, its links lead somewhere, its site stands alone."""

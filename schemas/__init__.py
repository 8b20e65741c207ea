"""The contracts: topics, tables, records, wire events, derived ids. No I/O, and nothing of ours is imported."""

"""Whole days in one thread: a fleet, its log, and stops of our own processes."""

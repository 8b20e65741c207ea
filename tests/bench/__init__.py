"""Measurements beside the budgets of the design; `python -m tests.bench --help`. Nothing here is a test."""

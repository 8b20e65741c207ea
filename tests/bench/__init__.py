"""Measurements beside the budgets of the design; `python -m tests.bench --help`. The tests here are of how figures are shown."""

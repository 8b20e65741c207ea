"""A program apart: from the sender's journal, the tables and the events seen it says what is lost, doubled, phantom, wrong or late.

It shares with the product only the machine that `coldstream evaluate` runs, and reads nothing else.
"""

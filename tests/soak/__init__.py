"""A whole stack under a steady load for hours: what grows that should not."""

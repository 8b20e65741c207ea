"""What `coldstream status` sees of every flow's cells, what it makes of it, and how it shows it."""

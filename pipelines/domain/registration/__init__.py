"""What may be written into the registry, from when on it may hold, and how a file of it is read. Pure."""

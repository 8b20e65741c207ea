"""Changes of the registry: each is one transaction, held to what its caller may change, and written down in `registry_changes`."""

"""The shape of the code, held by tests; each shows that a planted violation is caught."""

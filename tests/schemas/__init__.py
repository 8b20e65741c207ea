"""The contracts: what is on the wire and in names stays as it is."""

"""The truth campaign: random series and fleets through the product's own code, against the simple implementation in tests/domain."""

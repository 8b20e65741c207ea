"""What may be written into the registry, as tables and laws."""

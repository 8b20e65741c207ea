"""What outside systems really send, and what both of our Kafka clients make of the same log."""

"""The parts of `coldstream demo`: a dashboard that listens, the sums that must agree, and the order of events."""

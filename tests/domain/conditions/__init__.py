"""The condition machines, in a notation, against simple walks, and through batches and restarts."""

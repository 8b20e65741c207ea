"""Real processes under load, killed at random; a checker that reads only the journal and the tables."""

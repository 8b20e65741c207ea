"""A fleet that does not exist, and its uplinks as The Things Stack sends them. The model is pure; `sender` posts."""

"""Replays of dead letters: their raw uplinks are written to `uplinks` again once what kept them from being stored is mended."""

"""Golden files: `make golden` writes them anew, review reads the diff."""

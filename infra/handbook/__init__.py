"""The documentation site, built from the repository by MkDocs: `make docs`."""

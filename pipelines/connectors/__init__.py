"""One file per outside system: its configuration, its client, its errors. Decides nothing about temperatures."""

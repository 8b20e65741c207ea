"""One file per `coldstream` command; each exposes a click command named `command`."""

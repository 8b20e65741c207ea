"""Stand-ins for outside providers that keep their own truth and can be told to fail. Never used in production."""

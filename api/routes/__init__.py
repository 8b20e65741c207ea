"""The REST routes: thin. Each turns parameters into one query held to the caller's organizations, and rows into a shape."""

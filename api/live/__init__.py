"""The WebSocket: events from Redis to the dashboards that may see them, each client with a bounded queue."""

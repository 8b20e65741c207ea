"""The API's SQL, one file per thing asked for. Every query is held to a list of organizations, and none reads more than its limit."""

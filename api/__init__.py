"""The HTTP API: sql/api/<endpoint>.sql is GET /api/<endpoint>."""

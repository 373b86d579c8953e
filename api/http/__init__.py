"""HTTP around the endpoints: server, middleware, metrics, OpenAPI and static files."""

"""HTTP around the endpoints: the server, middleware, metrics, documents and static files."""

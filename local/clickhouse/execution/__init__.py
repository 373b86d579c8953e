"""A query from its start to its end: run, sessions, the query log."""

"""Queries of ClickHouse: from a request to its response."""

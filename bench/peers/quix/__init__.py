"""Quix Streams with a sink into ClickHouse."""

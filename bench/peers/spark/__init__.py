"""Spark Structured Streaming into ClickHouse."""

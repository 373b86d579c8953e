"""Flink's Java: its start, its cluster, its REST API, its saved state."""

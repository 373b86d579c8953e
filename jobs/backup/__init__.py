"""Backups of ClickHouse's data with the saved state of the jobs that fits it."""

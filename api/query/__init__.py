"""Requests answered: one query of ClickHouse each."""

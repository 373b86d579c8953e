"""Flink with a function in Python that inserts record by record."""

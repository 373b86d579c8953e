"""The tables that inserts fill: their text in SQL, their columns and types."""

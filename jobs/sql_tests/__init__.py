"""`python -m jobs test-sql`: views and endpoints beside the rows that cases expect."""

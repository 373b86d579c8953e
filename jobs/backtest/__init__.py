"""Back-tests: the rows that a view would have made of the past, beside those that are stored."""

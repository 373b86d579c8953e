"""Back-tests: the rows that a view would have made of the past, beside those that are stored."""

# With it begin the names of what exists only for a back-test.
PURPOSE = "backtest"

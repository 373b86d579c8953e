"""An HTTP request, read into a query: parameters, forms, the statement and its data."""

"""The benchmark of the API."""

"""ClickHouse's HTTP interface: the port, the application, the response."""

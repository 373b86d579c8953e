"""The real ClickHouse engine (chDB) behind ClickHouse's own HTTP interface, on loopback only."""

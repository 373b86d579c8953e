"""Flink's JDBC connector with ClickHouse's driver."""

"""The embedded stack: Kafka and ClickHouse on one machine, without Docker."""

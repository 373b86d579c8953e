"""clickhouse_insert: rows of Arrow batches into ClickHouse, each once."""

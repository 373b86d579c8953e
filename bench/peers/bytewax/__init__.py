"""A Bytewax dataflow into ClickHouse."""

"""chDB, the ClickHouse engine as a library: handles, statements, the rows of an INSERT."""

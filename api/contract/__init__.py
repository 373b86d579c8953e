"""The contract of a file in sql/api: header, parameters, columns, cursors, streams."""

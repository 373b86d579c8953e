"""Server-sent events: followed endpoints and streams of rows."""

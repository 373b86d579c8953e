"""Events sent as they happen: server-sent events."""

"""A plain loop in Python: consume, decode, insert, commit; with either of the two Kafka clients."""

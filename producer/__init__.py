"""Send stock ticks to the Kafka topic, from a fake market or a recording."""

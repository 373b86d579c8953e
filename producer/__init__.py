"""Sends stock ticks to the Kafka topic: a fake market, or a recorded file replayed."""

"""SQL files as one Flink job, compiled and checked before it runs."""

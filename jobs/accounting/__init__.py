"""Accounts for every record of a topic: stored, a dead letter, or deleted before it was read."""

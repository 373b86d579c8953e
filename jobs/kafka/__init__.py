"""The topics that a job reads: offsets, lag, deleted and unreadable records."""

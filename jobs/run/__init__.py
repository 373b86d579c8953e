"""A run of a job: what is watched, shown and reported."""

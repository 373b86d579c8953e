"""A long run of the whole pipeline, in which memory, files, parts, disk and latency stay flat."""

"""The runner and the sink; the only importer of pyflink."""

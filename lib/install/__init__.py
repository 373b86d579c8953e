"""The installer: only `make` runs it, and no program imports it."""

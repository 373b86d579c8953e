"""Imports PyFlink, which warns about itself, where that fails no test."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jobs.sink.clickhouse_insert  # noqa: F401

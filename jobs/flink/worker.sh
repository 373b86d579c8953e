#!/bin/sh
# The `python.executable` of a job: Flink takes one program here, without arguments.
# -P: else this folder is the first of the path, and its modules hide others of the same name.
exec "${JOB_PYTHON:?is set by jobs/flink/gateway.py}" -P "${0%/*}/python_worker.py" "$@"

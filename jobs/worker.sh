#!/bin/sh
# The `python.executable` of a job: Flink takes one program here, without arguments.
# -P: the modules beside boot.py are no packages of their own.
exec "$JOB_PYTHON" -P "$(dirname "$0")/boot.py" "$@"

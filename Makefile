# `make` alone lists what there is. Options go in ARGS: make produce ARGS="--rate 100".
.DEFAULT_GOAL := help
.PHONY: help setup tools demo up down status doctor produce run-job stop-job plan audit dead-letters replay-dead-letters test-sql backtest validate api webhooks migrate backup restore test chaos check bench bench-quick bench-api bench-page soak screenshots clean
.SILENT:

# Packages are installed without byte code (see lib/install/packages.py). If Python must not write it, as in many
# container images, each start compiles a thousand modules again.
unexport PYTHONDONTWRITEBYTECODE

# The Python that makes .venv; if it is neither 3.11 nor 3.12, one of these is looked for on PATH.
PYTHON ?= python3
VENV := .venv/bin
RUN := $(VENV)/python -m
# The folder under sql/flink/ for run-job, stop-job, plan, audit, replay-dead-letters and backtest.
JOB ?= stocks
# The seed of the first round of chaos, and how many rounds.
SEED ?= 1
ROUNDS ?= 1
# How long soak runs.
MINUTES ?= 60

help:  ## List the targets
	sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

setup:  ## Install what a run needs in .venv and lib/jars; does nothing when nothing changed
	$(PYTHON) -m lib.install

tools:  ## Install the linters, test tools and browser drivers, too
	$(PYTHON) -m lib.install tools

demo: setup  ## Start everything and show ticks arriving; Ctrl-C stops it
	$(RUN) local demo $(ARGS)

up: setup  ## Start the embedded Kafka and ClickHouse
	$(RUN) local up $(ARGS)

down: setup  ## Stop the embedded Kafka and ClickHouse
	$(RUN) local down $(ARGS)

status: setup  ## Show what runs
	$(RUN) local status $(ARGS)

doctor: setup  ## Check the machine, the servers and what runs, and say what to fix
	$(RUN) jobs doctor $(ARGS)

produce: setup  ## Send fake ticks to Kafka
	$(RUN) producer $(ARGS)

run-job: setup  ## Run a streaming job: make run-job JOB=stocks
	$(RUN) jobs run $(JOB) $(ARGS)

stop-job: setup  ## Stop a job with a savepoint
	$(RUN) jobs stop $(JOB) $(ARGS)

plan: setup  ## Show what Flink would do, without running it
	$(RUN) jobs plan $(JOB) $(ARGS)

audit: setup  ## Check that each record of a job's topics is accounted for exactly once
	$(RUN) jobs audit $(JOB) $(ARGS)

dead-letters: setup  ## Count the dead letters by reason
	$(RUN) jobs dead-letters $(ARGS)

replay-dead-letters: setup  ## Store the dead letters that are valid by the current SQL rules
	$(RUN) jobs replay-dead-letters $(JOB) $(ARGS)

test-sql: setup  ## Compare the rows of views and endpoints with those of the cases in tests/sql/
	$(RUN) jobs test-sql $(ARGS)

backtest: setup  ## Show what a rule would have raised: make backtest RULE=price_falls FROM=2h
	$(RUN) jobs backtest $(JOB) "$(RULE)" --from "$(FROM)" $(if $(TO),--to "$(TO)") $(ARGS)

validate: setup  ## Check the files of sql/api/ against ClickHouse
	$(RUN) api validate $(ARGS)

api: setup  ## Serve sql/api/ at http://127.0.0.1:8502/api/
	$(RUN) api $(ARGS)

webhooks: setup  ## Send each new alert to the servers in webhooks of conf/millrace.yaml
	$(RUN) api webhooks $(ARGS)

migrate: setup  ## Apply the new files of sql/clickhouse/
	$(RUN) lib.migrations $(ARGS)

backup: setup  ## Write all data and saved state to a new folder: make backup TO=<folder>
	$(RUN) jobs backup --to "$(TO)" $(ARGS)

restore: setup  ## Put a backup in the place of all data and saved state: make restore FROM=<folder>
	$(RUN) jobs restore --from "$(FROM)" $(ARGS)

# xdist would begin with the files of most tests; the end-to-end files have few tests, take longest, and come first.
test: tools  ## Run the tests
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: tools  ## Kill everything under load and account for every record: make chaos SEED=1 ROUNDS=30
	$(RUN) tests.chaos --seed $(SEED) --rounds $(ROUNDS) $(ARGS)

check: tools  ## Run the linters and the type checker
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy
	$(VENV)/sqlfluff lint sql

bench: tools  ## Measure the pipeline beside its peers and limits (40 minutes or more)
	$(RUN) bench $(ARGS)

bench-quick: tools  ## Measure the pipeline beside a plain loop (under 5 minutes)
	$(RUN) bench --quick $(ARGS)

bench-api: tools  ## Measure the API beside the same SQL in ClickHouse
	$(RUN) bench.api $(ARGS)

bench-page: tools  ## Measure the dashboard in Chromium (over ten minutes)
	$(RUN) bench.page $(ARGS)

soak: tools  ## Run the pipeline for long, sample what it uses, and audit it: make soak MINUTES=60
	$(RUN) bench.soak --minutes $(MINUTES) $(ARGS)

screenshots: tools  ## Take the pictures in docs/ from a running demo
	$(RUN) docs.screenshots $(ARGS)

clean:  ## Remove what can be made again; with DATA=1 also the data of runs (var/)
	rm -rf .venv lib/jars .mypy_cache .pytest_cache .ruff_cache $(if $(DATA),var)
	find . -name __pycache__ -prune -exec rm -rf {} +

# `make` or `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo up test check fmt golden docs bench truth faults soak

PYTHON := .venv/bin/python
# Tests that need no servers, a process per core; `make check` tries 2,000 of the random series of which `make test` tries 10,000.
QUICK := --numprocesses=auto --dist=loadfile --ignore=tests/integration --ignore=tests/e2e --ignore=tests/faults
SERVERS := tests/integration tests/e2e tests/faults

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages (as root), .venv, Kafka's jars
	@bash infra/local/setup.sh

demo: setup ## Start everything with a simulated fleet; DEMO_SECONDS=120 ends by itself with a summary
	@.venv/bin/coldstream demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

up: setup ## Start the local stack and keep it running until Ctrl-C
	@.venv/bin/coldstream up

test: setup ## Run every test, with real Kafka, PostgreSQL, Redis and Chromium
	@$(PYTHON) -m pytest $(QUICK)
	@$(PYTHON) -m pytest $(SERVERS)

check: setup ## Lint, types, import rules and the tests that need no servers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@COLDSTREAM_SHARD_SERIES=2000 $(PYTHON) -m pytest -q $(QUICK)

fmt: setup ## Format the code and mend what the linter can mend
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

golden: setup ## Write the golden files anew; read the diff
	@$(PYTHON) -m tests.golden

docs: setup ## Build the documentation site into .local/site; a broken link fails
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet --clean
	@echo "open .local/site/index.html"

bench: ## Measure every part beside its budget; BENCH="decode store --quick" measures some
	@bash infra/local/setup.sh --bench
	@$(PYTHON) -m tests.bench $(BENCH)

SEEDS ?= 3
truth: setup ## Random series and fleets against a second, simple implementation; SEEDS=3
	@$(PYTHON) -m tests.truth --seeds $(SEEDS)

faults: setup ## Break real processes under load and check everything; SEEDS=3
	@$(PYTHON) -m tests.faults --seeds $(SEEDS)

MINUTES ?= 120
soak: setup ## A steady load for hours: slopes of memory, files, sizes and latency; MINUTES=120
	@$(PYTHON) -m tests.soak --minutes $(MINUTES)

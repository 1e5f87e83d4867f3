# Each target is one task of a developer or of CI; `make help` lists them.
# Needs Python 3.11 or newer, pip, git and make. PYTHON picks another interpreter: make setup PYTHON=python3.12

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
THREADS := OMP_NUM_THREADS=1 POLARS_MAX_THREADS=$(JOBS)

# A stamp is written only after its installation has succeeded, so nothing half-installed counts as done.
BASE := .venv/.installed
DEV := .venv/.installed-dev
DOCS := .venv/.installed-docs
RAY := .venv/.installed-ray

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(BASE) ## Make .venv and install the project with exact versions
	@echo "Ready. For the commands: source .venv/bin/activate"

.PHONY: demo
demo: $(BASE) ## Train a hybrid VAE on real ratings and show its metrics: start here
	@$(BIN)/recsys demo

.PHONY: test
test: $(DEV) ## Run every test but the slow ones
	@$(THREADS) $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

.PHONY: prove
prove: $(DEV) $(RAY) ## Run the slow tests: hundreds of injected faults; FAULTS="kill_save=300" sets counts
	@$(THREADS) $(BIN)/python -m pytest -m "slow or fault" -o faulthandler_timeout=7200 --faults "long,$(FAULTS)"

.PHONY: lint
lint: $(DEV) ## Check style, types and the layers between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: reference
reference: $(DOCS) ## Write the tables of docs/reference/ from the code
	@$(BIN)/python docs/hooks/reference.py

.PHONY: docs
docs: $(DOCS) ## Build the documentation into site/; a warning is a failure
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict && echo "site/index.html"

.PHONY: check
check: lint docs test ## Run what continuous integration runs

.PHONY: bench
bench: $(DEV) ## Measure speed and memory, each with its protocol
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

.PHONY: constraints
constraints: $(DEV) $(DOCS) $(RAY) ## Write the versions installed now into constraints.txt
	@{ sed -n '/^#/p' constraints.txt; \
	   $(PIP) freeze --local --exclude-editable --exclude pip --exclude setuptools --exclude wheel \
	   | sed -e '/^#/d' -e 's/+[A-Za-z0-9.]*$$//'; } > constraints.new && mv constraints.new constraints.txt

.PHONY: clean
clean: ## Remove what can be made again; keep .venv and the experiments in .recsys
	@rm -rf site build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks experiments docs -type d -name __pycache__ -prune -exec rm -rf {} +

$(BASE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 || true); expected Python 3.11 or newer;" \
	       "try make setup PYTHON=python3.12"; exit 1; } >&2
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || $(PYTHON) -m venv --clear .venv
	@echo "Installing into .venv: a few minutes the first time."
	@$(PIP) install -qq --constraint constraints.txt --editable .
	@touch $@

$(DEV) $(DOCS) $(RAY): .venv/.installed-%: $(BASE)
	@echo "Installing what $* needs."
	@$(PIP) install -qq --constraint constraints.txt --editable '.[$*]'
	@touch $@

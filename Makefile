# Two commands do everything on a fresh machine: `make quickstart` and `make test`.
# Needed: Python 3.11 to 3.13, make, and the package index. The Hugging Face Hub is not asked.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_FLAGS ?= --quiet --disable-pip-version-check
PYTEST_FLAGS ?=
# As many workers as the machine carries; a file goes whole to one of them (tests/conftest.py).
# `make test PYTEST_FLAGS="-n 0"` runs everything in one process.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

export HF_HUB_DISABLE_TELEMETRY = 1

.DEFAULT_GOAL := help
.PHONY: help quickstart test bench kills lint format schemas clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing the suite (a few minutes, about 6 GB the first time) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

quickstart: $(VENV)/.core ## Set up, study the bundled sample end to end, write the report
	$(BIN)/suite study create agnews --sample
	$(BIN)/suite report agnews-sample

test: $(VENV)/.dev ## Set up and run every test that this machine can run, on all cores
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -rs $(PARALLEL) $(PYTEST_FLAGS)

bench: $(VENV)/.dev ## Measure, both sides in one run; writes JSON under tests/benchmarks/results
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.benchmarks

kills: $(VENV)/.dev ## Kill a study a hundred times at random, and count what is lost (half an hour)
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.endurance.kills --kills 100

lint: $(VENV)/.dev ## ruff, mypy --strict, and the rooms by import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Let ruff put things in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(VENV)/.core ## Write the JSON schemas that editors read
	$(BIN)/python -m suite.cli.schemas

clean: ## Remove the environment and caches (studies and reports stay)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info

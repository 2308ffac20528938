# Two commands do everything on a fresh machine: `make quickstart` and `make test`.
# Needed: Python 3.11 to 3.13, make, and the package index. The Hugging Face Hub is not asked.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_FLAGS ?= --quiet --disable-pip-version-check
PYTEST_FLAGS ?=
MINUTES ?= 10
DATA ?=
# As many workers as the machine carries; a file goes whole to one of them (tests/conftest.py).
# `make test PYTEST_FLAGS="-n 0"` runs everything in one process.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

# Tools that look at what is installed; beside it, so that they change nothing of it.
TOOLS := $(VENV)-tools
TOOL_PINS := cyclonedx-bom==7.5.0 pip-audit==2.10.1 uv==0.13.9
# `make HASHES=1 ...` installs the very files that requirements.hashed.txt names, and no others.
HASHES ?=

export HF_HUB_DISABLE_TELEMETRY = 1

.DEFAULT_GOAL := $(if $(HASHES),install,help)
.PHONY: help install quickstart test fuzz bench verdicts verdicts-train kills lint format schemas audit sbom hashes clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

ifeq ($(HASHES),)
$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing the suite (a few minutes, about 6 GB the first time) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@
else
$(VENV)/.core: $(VENV)/.python pyproject.toml requirements.hashed.txt
	@echo "Installing the suite and what the tests need, each file by its hash ..."
	@# What comes as source is built by this very setuptools, and not by one fetched for it.
	@awk '/^setuptools==/ {found = 1} found {print} found && !/\\$$/ {exit}' \
		requirements.hashed.txt >$(VENV)/.setuptools
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes -r $(VENV)/.setuptools
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --no-build-isolation \
		-r requirements.hashed.txt
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-index --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@touch $@
endif

$(TOOLS)/.done: $(VENV)/.python Makefile
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install $(PIP_FLAGS) $(TOOL_PINS)
	@touch $@

install: $(VENV)/.core ## Set up, and no more

quickstart: $(VENV)/.core ## Set up, study the bundled sample end to end, write the report
	$(BIN)/suite study create agnews --sample --timeout 3m
	$(BIN)/suite report agnews-sample

test: $(VENV)/.dev ## Set up and run every test that this machine can run, on all cores
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -rs $(PARALLEL) $(PYTEST_FLAGS)
	@if [ -e /dev/nvidiactl ]; then SUITE_TESTS_ON=gpu HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -rs -n 0 tests/test_gpu.py; fi

fuzz: $(VENV)/.dev ## Draw inputs against the readers for MINUTES=10
	@ends=$$(( $$(date +%s) + 60 * $(MINUTES) )); while [ $$(date +%s) -lt $$ends ]; do \
		SUITE_FUZZ=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest tests/fuzz -n 0 $(PYTEST_FLAGS) || exit 1; \
	done

bench: $(VENV)/.dev ## Measure, both sides in one run; writes JSON under tests/benchmarks/results
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.benchmarks

verdicts: $(VENV)/.dev ## Simulate studies whose truth is known: do verdicts, ranks and intervals keep what they say?
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.verdicts

verdicts-train: $(VENV)/.dev ## Train three arms thirty times each on AG News in DATA=FOLDER, for `make verdicts`
	@test -n "$(DATA)" || { echo "Name the folder of train.jsonl.gz and test.jsonl.gz: DATA=FOLDER"; exit 2; }
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.verdicts.train "$(DATA)"

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

audit: $(TOOLS)/.done ## Ask which pinned versions have known vulnerabilities (.ci/audit says so by its code)
	@.ci/audit $(TOOLS)/bin/pip-audit constraints.txt

sbom: $(VENV)/.core $(TOOLS)/.done ## List what is installed: build/sbom.cdx.json (CycloneDX)
	@mkdir -p build
	@$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file build/sbom.cdx.json $(BIN)/python
	@echo "build/sbom.cdx.json"

# The hashes of every file of each version, as the index tells them: nothing is downloaded, and no
# address is written. Another index than uv's own: UV_DEFAULT_INDEX.
hashes: $(TOOLS)/.done ## Write requirements.hashed.txt from pyproject.toml and constraints.txt
	@$(TOOLS)/bin/uv pip compile pyproject.toml --all-extras --constraints constraints.txt \
		--python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
		--output-file requirements.hashed.txt

clean: ## Remove the environment and caches (studies and reports stay)
	rm -rf $(VENV) $(TOOLS) build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info

# `make demo` shows the main job, `make test` runs the tests; both set up .venv first, once.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test check format demo-model bench demo-benchmark unchanged-benchmark clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PIP_VERSION := 26.3
# The second one holds for what pip needs to build the package itself.
PINNED := --constraint constraints.txt --build-constraint constraints.txt

# The first interpreter that is new enough, and not a shim without a Python behind it.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/application.stamp ## Make a toy library, index it, ask it in words; needs no network once set up
	@$(BIN)/vsearch demo

test: $(VENV)/development.stamp ## Run the tests
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(VENV)/development.stamp ## Check format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/development.stamp ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo-model: $(VENV)/development.stamp ## Train the demo model anew, from its seed (about 40 minutes on 4 cores)
	$(BIN)/python -m training.demo_model

bench: $(VENV)/development.stamp ## Measure encoding, decoding, indexing and queries against limits and peers (15 minutes)
	$(BIN)/python -m benchmarks

demo-benchmark: $(VENV)/development.stamp ## Measure the demo model on a film of each combination (some minutes)
	$(BIN)/python -m benchmarks.demo_model

unchanged-benchmark: $(VENV)/development.stamp ## Measure a run that finds nothing to do against find (some minutes)
	$(BIN)/python -m benchmarks.unchanged_library

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp is renewed when the requirements change, so a repeated run installs nothing.
$(VENV)/application.stamp: pyproject.toml constraints.txt | $(VENV)/pip.stamp
	$(PIP) install --quiet $(PINNED) --editable .
	@touch $@

$(VENV)/development.stamp: $(VENV)/application.stamp
	$(PIP) install --quiet $(PINNED) --group test --group check
	@touch $@

$(VENV)/pip.stamp:
	@if [ -z "$(PYTHON)" ]; then \
		echo "vsearch needs Python 3.11 or newer, and none was found; to name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "vsearch needs Python 3.11 or newer; $(PYTHON) is older or does not run" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; on Debian and Ubuntu: sudo apt-get install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	@echo "Setting up $(VENV): the first time downloads PyTorch, FAISS and FFmpeg, which takes some minutes"
	"$(PYTHON)" -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip==$(PIP_VERSION)
	@touch $@

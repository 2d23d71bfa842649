# `make demo` shows the main job, `make test` runs the tests; both set up .venv first, once.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test check test-floors format demo-model bench demo-benchmark answers-benchmark unchanged-benchmark screenshots clean

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough, and not a shim without a Python behind it.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)

# uv does the same as pip in a fifth of the time. The second constraint holds for what either needs
# to build the package itself.
UV := $(shell command -v uv 2>/dev/null)
PIP_VERSION := 26.3
PIP := $(BIN)/python -m pip --disable-pip-version-check
ifneq ($(UV),)
NEW_VENV = "$(UV)" venv --quiet --python "$(PYTHON)"
INSTALL = "$(UV)" pip install --python $(BIN)/python --constraints constraints.txt --build-constraints constraints.txt
else
NEW_VENV = "$(PYTHON)" -m venv
INSTALL = $(PIP) install --constraint constraints.txt --build-constraint constraints.txt
endif

# An environment that was moved, or has lost its Python or pip, is made anew.
ifneq ($(wildcard $(VENV)/pyvenv.cfg),)
ifneq ($(shell $(BIN)/python -c '$(if $(UV),pass,import pip)' 2>/dev/null \
	&& [ "$$(cat $(VENV)/environment.stamp 2>/dev/null)" = "$(abspath $(VENV))" ] && echo usable),usable)
CLEAR := --clear
UNUSABLE := $(shell rm -f $(VENV)/*.stamp)
endif
endif

FREE = $$(df -Ph "$(1)" | awk 'NR == 2 {print $$4}')
FAILED = { echo "vsearch: not all packages could be fetched and unpacked. Is there a network, and does it ask for a proxy (https_proxy)? Is there room for 7 GB in $(VENV), and for 4 GB in the temporary folder ($${TMPDIR:-/tmp}; TMPDIR names another)? Then the same command once more." >&2; exit 1; }

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/application.stamp ## Make a toy library, index it, ask it in words; needs no network once set up
	@$(BIN)/vsearch demo

test: $(VENV)/development.stamp ## Run the tests
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-floors: ## Run the tests with the oldest versions that pyproject.toml allows (needs uv)
	@[ -n "$(UV)" ] || { echo "the oldest versions are found by uv, which is not there: pip install uv" >&2; exit 1; }
	"$(UV)" venv --quiet --clear --python "$(PYTHON)" build/floors
	"$(UV)" pip install --python build/floors/bin/python --resolution lowest-direct --editable . --group test
	build/floors/bin/python -m pytest --numprocesses auto --dist loadfile

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

bench: $(VENV)/development.stamp ## Measure encoding, decoding, indexing, queries and the page against limits and peers (15 minutes)
	$(BIN)/python -m benchmarks

demo-benchmark: $(VENV)/development.stamp ## Measure the demo model on a film of each combination (some minutes)
	$(BIN)/python -m benchmarks.demo_model

answers-benchmark: $(VENV)/development.stamp ## Measure answers on long toy videos and on pools of clips (15 minutes on 2 cores)
	$(BIN)/python -m benchmarks.answers

unchanged-benchmark: $(VENV)/development.stamp ## Measure a run that finds nothing to do against find (some minutes)
	$(BIN)/python -m benchmarks.unchanged_library

screenshots: $(VENV)/development.stamp ## Take the pictures of the page for the README (a minute; needs Chromium)
	$(BIN)/python -m benchmarks.page.screenshots

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp is renewed when the requirements change, so a repeated run installs nothing.
$(VENV)/application.stamp: pyproject.toml constraints.txt | $(VENV)/environment.stamp
	@echo "Installing vsearch with PyTorch, FAISS and FFmpeg: some 4 GB to download, some 7 GB in $(VENV) (free: $(call FREE,$(VENV)))"
	@$(INSTALL) --editable . || $(FAILED)
	@touch $@

$(VENV)/development.stamp: $(VENV)/application.stamp
	@echo "Installing what the tests and checks need"
	@$(INSTALL) --group test --group check || $(FAILED)
	@touch $@

$(VENV)/environment.stamp:
	@if [ -z "$(PYTHON)" ]; then \
		echo "vsearch needs Python 3.11 or newer, and none was found; to name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "vsearch needs Python 3.11 or newer; $(PYTHON) is older or does not run" >&2; exit 1; }
	@[ -n "$(UV)" ] || "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; on Debian and Ubuntu: sudo apt-get install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	@mkdir -p $(VENV) 2>/dev/null && [ -w $(VENV) ] || { \
		echo "$(VENV) cannot be made here; name a folder that may be written to: make VENV=/path/to/folder" >&2; exit 1; }
	@[ -e $(VENV)/pyvenv.cfg ] || [ -z "$$(ls -A $(VENV))" ] || { \
		echo "$(VENV) holds other things; name an empty folder: make VENV=/path/to/folder" >&2; exit 1; }
	@echo "Making the environment $(VENV) with $(PYTHON) and $(if $(UV),uv,pip)"
	@$(NEW_VENV) $(CLEAR) $(VENV)
	@[ -n "$(UV)" ] || $(PIP) install --quiet --upgrade pip==$(PIP_VERSION) || $(FAILED)
	@printf '%s' "$(abspath $(VENV))" > $@

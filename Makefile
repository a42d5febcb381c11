# `make` lists the commands. Needs git, make, Python 3.11 or newer and pip; everything else goes into this checkout.
.DEFAULT_GOAL := help
.PHONY: help setup demo test prove guards check static fmt fmt-check lint types rooms deps floors bench mutants clean
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
READY := .venv/.ready
# Half of a whole incident is waiting, so one more than CI has processors.
WORKERS ?= 3
# Options for pytest, e.g. `make test ARGS='-k guard'`.
ARGS ?=
# COVER=1 also records what the tests reach, for `floors`.
RUN = $(if $(COVER),$(BIN)/coverage erase && $(BIN)/coverage run -m pytest,$(BIN)/pytest)

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

# The first Python here that runs and is new enough; 3.11 first, because that is what CI runs.
PYTHON = $(or $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done), \
	$(error Stanch needs Python 3.11 or newer, and none of python3.11, python3.12, python3.13, python3 is))
# A uv that runs: the machine's, else our own.
UV = $(or $(shell for uv in uv .uv/bin/uv; do $$uv --version >/dev/null 2>&1 && echo $$uv && break; done),.uv/bin/uv)

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Where Python may write no bytecode, each start would compile all of it: that takes as long again.
setup: $(READY) ## Make .venv with stanch and every tool that is needed, exactly as locked.
	@$(BIN)/python -m compileall -qq agent tools || true

demo: setup ## Break a miniature production on this machine and watch it being stanched.
	@$(BIN)/stanch demo

test: setup ## Run the tests, e.g. `make test ARGS='-k guard'`.
	@$(RUN) -n $(WORKERS) --dist worksteal --inline-snapshot=disable $(ARGS)

prove: setup ## Try everything on the guard, in every order, and see that no law can be broken.
	@$(BIN)/stanch prove $(ARGS)

guards: setup ## Make docs/guards.md anew, with the figures of the proof.
	@$(BIN)/python -m tests.guards

check: static ## Everything CI checks.
	@$(MAKE) test COVER=1
	@$(MAKE) floors

static: fmt-check lint types rooms deps ## What can be checked without running anything.

fmt: setup ## Format the code and mend what can be mended without thought.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## Run every script in bench/.
	@for script in $(wildcard bench/*.py); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

mutants: setup ## Break the guards in every way: a test must notice, e.g. `make mutants ARGS='--match TOLERANCE'`.
	@$(BIN)/python -m tests.mutants $(ARGS)

clean: ## Remove everything that setup and the checks made.
	@rm -rf .venv .uv .coverage* .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find agent tools -name __pycache__ -prune -exec rm -rf {} +

fmt-check: setup
	@$(BIN)/ruff format --quiet --check . || { echo 'Not formatted: run `make fmt`.'; exit 1; }
lint: setup
	@$(BIN)/ruff check --quiet .
types: setup
	@$(BIN)/pyright
rooms: setup
	@$(BIN)/lint-imports --no-logo
deps: setup
	@$(BIN)/deptry .
floors: setup
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@$(BIN)/coverage report --include='agent/core/*' --fail-under=100

# uv does not read pip's configuration. Where PyPI can be had only through pip's own settings (a mirror, a proxy),
# pip installs the same locked files, by hash.
$(READY): pyproject.toml uv.lock
	@$(UV) --version >/dev/null 2>&1 || $(MAKE) .uv/bin/uv
	@$(UV) sync --quiet --frozen --python $(PYTHON) || $(MAKE) with-pip
	@touch $@

.uv/bin/uv:
	@echo 'Fetching uv into .uv (once).'
	@if $(PYTHON) -m venv .uv >/dev/null 2>&1; then .uv/bin/python -m pip install -qq uv; else \
		rm -rf .uv; $(PYTHON) -m pip install -qq --target .uv uv; fi

.PHONY: with-pip
with-pip:
	@echo 'uv could not install the locked packages; trying through pip.'
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@$(UV) export --quiet --frozen --no-emit-project --output-file .venv/locked.txt
	@$(PYTHON) -m pip --python .venv/bin/python install -qq --requirement .venv/locked.txt
	@$(PYTHON) -m pip --python .venv/bin/python install -qq --no-deps --editable .

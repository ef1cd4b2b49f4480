# Everything a person or a machine does here starts from this file; `make help` lists it.
# Recipes use paths relative to this folder only, so a folder with spaces in its name works.

PORT := 8050
DATA_DIR := data
# Further words for pytest: make test ARGS='tests/store -k settle'
ARGS :=
# Files of tests that run at once. Most of them wait for real servers, so two fill one core.
WORKERS := 2
# Any value takes the newest versions that fit: make lock UPGRADE=1
UPGRADE :=
# A Python >= 3.11 for .venv, where the one that is found is not the one that is meant.
PYTHON ?=
export PYTHON

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types bench pictures lock clean setup setup-dev

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: setup ## Run the whole command centre on simulated departments (PORT=8050 DATA_DIR=data)
	@exec $(BIN)/lawang up --demo --port '$(PORT)' --data-dir '$(DATA_DIR)'

test: setup-dev ## Run every test, those in a real Chromium included (ARGS='...' for pytest)
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint types test ## Everything that must be right before a commit

lint: setup-dev ## Style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup-dev ## Types, strictly
	$(BIN)/mypy

bench: setup-dev ## Run every benchmark and write benchmarks/RESULTS.md
	$(BIN)/lawang bench all

pictures: setup-dev ## Take the pictures of docs/scenes.md from two running demonstrations
	$(BIN)/python scripts/pictures.py

lock: ## Write both lock files from pyproject.toml (UPGRADE=1 for newer versions)
	scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove what was built, but neither data nor .venv
	rm -rf build dist test-output .setup-* .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

setup: ## Set up .venv for running
	@scripts/setup.sh runtime

setup-dev: ## Set up .venv for tests and linters
	@scripts/setup.sh dev

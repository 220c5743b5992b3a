# `make demo` and `make test` prepare what they need themselves; nothing has to be installed before.
SHELL := /bin/bash
BIN := .venv/bin
# Tests start Python a thousand times: they write bytecode even where containers forbid it.
TESTS := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help
.PHONY: help demo demo-queue test test-fast bench lint format clean

help: ## Show this text
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: ## Install what is needed, then compute PEO on SiO2 with GPAW and show the result
	@bash scripts/setup.sh demo
	@bash scripts/demo.sh

demo-queue: ## The same through Slurm and MongoDB: starts both here (as root), submits three interfaces, shows them
	@bash scripts/setup.sh test
	@bash scripts/queue_demo.sh

test: ## Install what is needed, then run every test
	@bash scripts/setup.sh test
	@$(TESTS)

test-fast: ## The tests that take seconds
	@bash scripts/setup.sh test
	@$(TESTS) -m "not slow"

bench: ## Measure this program beside others, at most an hour on two cores, and write docs/performance.md
	@bash scripts/setup.sh test
	@$(BIN)/python -m benchmarks.bench

lint: ## ruff, mypy and import-linter
	@bash scripts/setup.sh test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: ## Let ruff put the code in order
	@bash scripts/setup.sh test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove caches and builds; keeps .venv and results
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

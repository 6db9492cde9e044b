# One command each; `make` alone lists them. The work is in deploy/setup/ and in the c360 command.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup lock demo test test-faults test-laws test-mutants lint mission bench bench-identity bench-value up down clean

BIN := .venv/bin
PYTHON_STAMP := .venv/.installed
KAFKA_STAMP := .local/kafka/.installed

# An own Kafka named by KAFKA_BOOTSTRAP makes Java, Maven and the jars needless.
ifdef KAFKA_BOOTSTRAP
PARTS := $(PYTHON_STAMP)
else
PARTS := $(PYTHON_STAMP) $(KAFKA_STAMP)
endif

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PARTS) ## make .venv and fetch what the local Kafka runs from; a second run changes nothing
	@echo "ready: $(BIN)/c360 --help"

$(PYTHON_STAMP): pyproject.toml requirements.lock deploy/setup/python.sh
	@deploy/setup/python.sh
	@touch $@

$(KAFKA_STAMP): deploy/kafka/pom.xml deploy/setup/kafka.sh
	@deploy/setup/kafka.sh
	@touch $@

lock: ## rewrite requirements.lock from pyproject.toml (needs uv)
	@deploy/setup/lock.sh

demo: setup ## run the demonstration
	@$(BIN)/c360 demo

test: setup ## run the tests, but for the long ones; two at a time
	@C360_DRAWS=0.6 $(BIN)/python -m pytest -q -n 2 --no-loadscope-reorder -m "not faults and not laws and not bench"

test-faults: setup ## run the tests that kill, pause and cut real processes
	@$(BIN)/python -m pytest -q -m faults

test-laws: setup ## draw all laws, many times as many examples
	@C360_DRAWS=10 C360_EXAMPLES=300 $(BIN)/python -m pytest -q -n 2 tests/properties tests/integration/profile/test_moves.py

test-mutants: setup ## plant bugs in a copy of the code, one by one: named tests must notice each
	@$(BIN)/python -m tests.mutants

lint: $(PYTHON_STAMP) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/mypy

mission: $(PYTHON_STAMP) ## write docs/mission.md: what must work, and which tests show it
	@$(BIN)/python -m tests.support.mission

bench: setup ## measure against the bars
	@$(BIN)/python -m tests.benchmarks

bench-identity: setup ## measure identity's accuracy and speed beside Splink and recordlinkage
	@deploy/setup/peers.sh
	@$(BIN)/python -m tests.benchmarks.identity

bench-value: setup ## measure predictions of value and needs beside lifetimes and others; on one core
	@deploy/setup/peers.sh
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.value

up: setup ## start everything on this machine and wait until it is ready
	@$(BIN)/c360 up --wait

down: ## stop everything that `make up` started
	@if [ -x $(BIN)/c360 ]; then $(BIN)/c360 down; fi

clean: down ## stop everything and remove what setup and runs have made, data included
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis build ./*.egg-info

# `make` prints the targets. `make run` and `make test` need Python 3.11+, make and the package registries, nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test check lint types build deploy lock clean
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8585
VENV := .venv
BIN := $(VENV)/bin
# onnxruntime reports its use to its maker unless told not to; the image and the template say the same.
export ORT_DISABLE_TELEMETRY := 1
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes
SAM := .venv-sam/bin/sam
MODEL ?= cutout-s
# Tests run in two processes, see tests/groups.py; `make test JOBS=0` runs them in this one.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/local.stamp ## serve everything on http://127.0.0.1:8585 (PORT=...)
	@exec $(BIN)/python -m local --port $(PORT)

test: $(VENV)/test.stamp .venv-sam/sam.stamp ## set everything up and run the tests
	$(PYTEST) $(ARGS)

check: lint types $(VENV)/test.stamp .venv-sam/sam.stamp ## the whole gate: format, lint, types, template, locks, tests
	$(BIN)/cfn-lint template.yaml monitoring.yaml
	$(SAM) validate --lint
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh --check
	$(PYTEST) $(ARGS)

lint: $(VENV)/test.stamp ## format and lint checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/test.stamp ## mypy, strict
	$(BIN)/mypy

build: $(VENV)/local.stamp .venv-sam/sam.stamp ## sam build (Docker and python3.13 wanted; MODEL=cutout-s)
	$(BIN)/python tools/fetch_model.py $(MODEL)
	$(SAM) build --parameter-overrides Model=$(MODEL)

deploy: build ## sam deploy into your account (CONFIG=default|staging|prod)
	$(SAM) deploy --config-env $(or $(CONFIG),default) $(if $(GUIDED),--guided)

lock: $(VENV)/test.stamp ## write the pinned requirement files anew
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh

clean: ## remove environments, builds and local state
	rm -rf $(VENV) .venv-sam .aws-sam .local

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/local.stamp: requirements/local.txt | $(VENV)/bin/python
	@echo "installing the service (once)"
	$(BIN)/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

$(VENV)/test.stamp: requirements/test.txt | $(VENV)/bin/python
	@echo "installing the test tools (once)"
	$(BIN)/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@ $(VENV)/local.stamp

.venv-sam/sam.stamp: requirements/sam.txt
	@echo "installing aws-sam-cli (once)"
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/python -m pip install $(PIP_FLAGS) --no-deps -r $< # the file is complete; pip 23 cannot match extras to hashes
	@touch $@

# `make` prints the targets. `make run` and `make test` need Python 3.11+, make and the package registries, nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test check lint types rules audit build invoke deploy deploy-container preflight smoke rollback destroy lock record-instructions performance docs packages clean
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8585
VENV := .venv
BIN := $(VENV)/bin
# onnxruntime reports its use to its maker unless told not to; the image and the template say the same.
export ORT_DISABLE_TELEMETRY := 1
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes
SAM := .venv-sam/bin/sam
MODEL ?=
CONFIG ?= default
STACK ?=
# What every deploy command is told of the stack; PARAMETERS="RemoveMemory=4096 LogLevel=DEBUG" sets the template's.
TARGET := --config $(CONFIG) $(if $(STACK),--stack $(STACK))
# Tests run in two processes, see tests/support/xdist_groups.py; `make test JOBS=0` runs them in this one.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder
# What protects a change in minutes; the rest (model, clients, browser, SAM, Docker, chaos, load, fuzz) is `make check`.
QUICK := tests/test_import_rules.py tests/support tests/unit tests/functions tests/template tests/local tests/dialects \
  tests/contract tests/server/test_contracts.py
# Of these, what goes over every combination, or fills the memory: left to `make check`.
LATER := tests/dialects/test_fuzz.py tests/dialects/test_schemathesis.py tests/contract/test_matrix.py \
  tests/contract/test_bad_requests.py tests/template/test_guard.py tests/unit/imaging/test_memory.py

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/local.stamp ## serve everything on http://127.0.0.1:8585 (PORT=...)
	@exec $(BIN)/python -m local --port $(PORT)

test: $(VENV)/test.stamp .venv-sam/sam.stamp ## set everything up and run the tests that protect a change (6 minutes)
	$(PYTEST) --budget-minutes 6 $(LATER:%=--ignore %) $(QUICK) $(ARGS)

check: lint types rules docs $(VENV)/test.stamp .venv-sam/sam.stamp ## the whole gate: format, lint, types, template, locks, documents, all tests (20 minutes)
	$(BIN)/cfn-lint template.yaml monitoring.yaml operations.yaml container.yaml web.yaml
	$(SAM) validate --lint
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh --check
	$(PYTEST) --budget-minutes 20 $(ARGS)

lint: $(VENV)/test.stamp ## format and lint checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/test.stamp ## mypy, strict
	$(BIN)/mypy

rules: .venv-audit/audit.stamp ## security rules for the templates; .checkov.yaml has the exceptions and why
	.venv-audit/bin/checkov --config-file .checkov.yaml

performance: $(VENV)/test.stamp ## write docs/performance.md's tables and plot from its figures (TAKE="dist/bench.json ...")
	$(BIN)/python -m tools.performance $(if $(TAKE),--take $(TAKE))

docs: .venv-docs/docs.stamp ## the documentation as a site, into dist/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

audit: rules ## the rules, known vulnerabilities, and lists of what is shipped (into dist/)
	mkdir -p dist
	.venv-audit/bin/cyclonedx-py requirements layers/cutout/requirements.txt --of JSON -o dist/layer.cdx.json
	.venv-audit/bin/cyclonedx-py requirements requirements/image.txt --of JSON -o dist/image.cdx.json
	@.venv-audit/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements/image.txt || \
	  { echo "audit: a vulnerability was found, or a package could not be looked up and is not audited; see above" >&2; exit 1; }

build: $(VENV)/local.stamp .venv-sam/sam.stamp ## sam build (Docker and python3.13 wanted; MODEL=cutout-s)
	$(BIN)/python -m deploy check-build
	$(BIN)/python tools/fetch_model.py $(or $(MODEL),cutout-s)
	$(SAM) build --parameter-overrides Model=$(or $(MODEL),cutout-s)

invoke: $(VENV)/local.stamp .venv-sam/sam.stamp ## `sam local invoke` after `make build`, beside tables of its own (FUNCTION=, EVENT=, OUT=cutout.png)
	@$(BIN)/python -m tools.sam_local $(FUNCTION) $(EVENT) $(if $(OUT),--out $(OUT))

deploy: $(VENV)/local.stamp .venv-sam/sam.stamp ## check, build and deploy into your account (CONFIG=default|staging|prod)
	$(BIN)/python -m deploy up $(TARGET) $(if $(MODEL),--model $(MODEL)) $(if $(CI),--yes) $(PARAMETERS)

deploy-container: $(VENV)/local.stamp .venv-sam/sam.stamp ## the HTTP container on Fargate, beside a deployed stack (docs/container.md)
	$(BIN)/python -m deploy container $(TARGET) $(if $(CI),--yes) $(PARAMETERS)

preflight: $(VENV)/local.stamp ## show what would be deployed, and what the account lacks for it
	$(BIN)/python -m deploy check $(TARGET) $(if $(MODEL),--model $(MODEL)) $(PARAMETERS)

smoke: $(VENV)/local.stamp ## try a deployed stack (URL=..., KEY=... of mode synthetic)
	@$(BIN)/python -m deploy smoke --key "$(KEY)" $(if $(JOBS_ONLY),--jobs-only) "$(URL)"

rollback: $(VENV)/local.stamp ## serve by the functions' previous versions
	$(BIN)/python -m deploy rollback $(TARGET)

destroy: $(VENV)/local.stamp ## delete the stack and all its images; says what stays
	$(BIN)/python -m deploy destroy $(TARGET)

packages: $(VENV)/test.stamp ## the clients' packages, into dist/python and dist/npm
	rm -rf dist/python dist/npm
	mkdir -p dist/npm
	cd clients/python && $(CURDIR)/$(BIN)/python -m hatchling build -d $(CURDIR)/dist/python
	cd clients/python/local && $(CURDIR)/$(BIN)/python -m hatchling build -t wheel -d $(CURDIR)/dist/python
	cd clients/javascript && npm ci --no-audit --no-fund && npm pack --pack-destination $(CURDIR)/dist/npm

lock: $(VENV)/test.stamp ## write the pinned requirement files anew
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh

record-instructions: $(VENV)/test.stamp ## count the guard's work anew by valgrind, after a change of speed that is meant
	$(BIN)/python -m tests.performance.instructions

clean: ## remove environments, builds and local state
	rm -rf $(VENV) .venv-sam .venv-audit .venv-docs .aws-sam .local

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

.venv-audit/audit.stamp: requirements/audit.txt
	@echo "installing the audit tools (once)"
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

.venv-docs/docs.stamp: requirements/docs.txt
	@echo "installing the documentation tools (once)"
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

.venv-sam/sam.stamp: requirements/sam.txt
	@echo "installing aws-sam-cli (once)"
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/python -m pip install $(PIP_FLAGS) --no-deps -r $< # the file is complete; pip 23 cannot match extras to hashes
	@touch $@

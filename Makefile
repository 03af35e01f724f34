# Two commands do all set-up: `make demo` shows the main job, `make test` passes the tests.
# A machine needs Python 3.11 and make; everything else comes from the locks.

PYTHON ?= python3.11
PYTHON := $(or $(shell command -v $(PYTHON) 2>/dev/null),python3)
BIN := .venv/bin
N ?=
# Folders with packages of Node, each with its lock.
NPM := api/graphiql tests/audit tests/clients/typescript
CAMPAIGNS := $(filter-out __init__ campaign draw,$(basename $(notdir $(wildcard bench/campaigns/*.py))))
BENCHES := $(filter-out __init__ goal,$(basename $(notdir $(wildcard bench/*.py))))

.PHONY: setup demo test check format lint types bench campaign lock clean

setup: .venv/.ready

.venv/.ready: requirements/dev.txt requirements/bootstrap.txt pyproject.toml $(NPM:=/package-lock.json)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vinculum needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up .venv from the lock (a minute or two the first time) ..." >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --require-hashes --no-build-isolation-package python-louvain -r requirements/bootstrap.txt -r requirements/dev.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --no-deps --no-build-isolation --editable .
	@for folder in $(NPM); do \
	  (cd $$folder && PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent --ignore-scripts --no-audit --no-fund) || exit; done
	@touch $@

demo: setup
	$(BIN)/vinculum demo $(if $(ONCE),--once)

test: setup
	$(BIN)/pytest

check: setup format lint types test

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

bench: setup
	$(if $(filter $(NAME),$(BENCHES)),,$(error say which, as NAME=: $(BENCHES)))
	$(BIN)/python -m bench.$(NAME) $(if $(N),--n $(N))

campaign: setup
	$(if $(filter $(NAME),$(CAMPAIGNS)),,$(error say which, as NAME=: $(CAMPAIGNS)))
	$(BIN)/python -m bench.campaigns.$(NAME) $(if $(N),--n $(N))

# Renews the locks from pyproject.toml; they hold hashes and name no index.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --group dev --extra py2neo $(LOCK) -o requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) -c requirements/dev.txt -o requirements/runtime.txt
	$(BIN)/uv pip compile requirements/bootstrap.in $(LOCK) -c requirements/dev.txt -o requirements/bootstrap.txt
	$(BIN)/uv pip compile requirements/codegen.in $(LOCK) -o requirements/codegen.txt

LOCK := --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --quiet --no-header

clean:
	rm -rf .venv $(NPM:=/node_modules)

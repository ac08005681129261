# What a newcomer types. Makes the environment, then hands over to invoke: `make build-all` is `invoke build-all`.
# Options go through ARGS: make build-all ARGS="--stack go".

.DEFAULT_GOAL := help
PYTHON ?= python3
ARGS ?=
MADE := .venv/.made

.PHONY: help build-all test-all test lint
help: $(MADE)
	@.venv/bin/invoke help

# Named ones, so that shells complete them; every other goal is an invoke task too.
build-all test-all test lint: $(MADE)
	@.venv/bin/invoke $@ $(ARGS)

%: $(MADE)
	@.venv/bin/invoke $@ $(ARGS)

Makefile requirements.lock pyproject.toml: ;

$(MADE): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Stageproof needs Python 3.11 or newer, and there is no $(PYTHON): install python3 and python3-venv." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Stageproof needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1 | cut -d' ' -f2): name a newer one, such as make PYTHON=python3.13." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Stageproof needs Python's venv module, and $(PYTHON) has none: apt install python3-venv." >&2; exit 1; }
	@echo "making .venv from requirements.lock"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

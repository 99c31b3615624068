.DEFAULT_GOAL := run
PYTHON ?= python3
BIN := .venv/bin
INSTALL = test -x $(BIN)/python || $(PYTHON) -m venv .venv; $(BIN)/python -m pip install --quiet --disable-pip-version-check

unexport PYTHONDONTWRITEBYTECODE # two workers and each program they start would compile all anew

.PHONY: run setup test check bench reliability lock

run: .venv/ready-to-run        ## start the hub and its playground page
	$(BIN)/wwc run

setup: .venv/ready-to-work     ## only prepare .venv, for development

test: .venv/ready-to-work      ## every test, and a tenth of each long search
	$(BIN)/python -m tests.setup
	$(BIN)/pytest -n 2 --dist worksteal --cov

check: .venv/ready-to-work     ## format, lint, types, import rules, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lock

bench: .venv/ready-to-work     ## the figures in docs/BENCHMARKS.md
	$(BIN)/python -m tests.bench

reliability: .venv/ready-to-work ## the long searches whole; the figures in docs/RELIABILITY.md
	$(BIN)/python -m tests.reliability

lock:                          ## resolve the dependencies anew
	$(BIN)/python -m tests.lock --write

.venv/ready-to-run: requirements.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --editable .
	touch $@

.venv/ready-to-work: requirements-dev.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@ .venv/ready-to-run

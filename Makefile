# Two commands do all the set-up: `make report` (environment, demo study, PDF) and `make test`.
# Where containers set it, each kernel and command compiles every module anew: a fifth of what its imports take.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
REPORTS ?= reports
DEMO := data/demo/simulation.json
.DEFAULT_GOAL := help
.PHONY: help report test quick check lint types slow same mutants bench validation clean install lock schema docs

help:
	@echo "make report   environment, demo study, newest quarterly report as PDF and HTML"
	@echo "make test     environment, all tests"
	@echo "make test PYTHON=python3.13   the same on another Python (3.11, 3.12, 3.13): .venv is made anew where its version differs"
	@echo "make check    linters, types, import contract, docstrings, tests"
	@echo "make docs     the documentation site: build/docs/index.html (half a minute, without the network)"
	@echo "make same BEFORE=<commit>   the reports rendered with that commit and now: which numbers and words differ (8 minutes)"
	@echo "make mutants      small faults put into a copy of the sources: how many the tests notice (20 minutes): docs/mutants.md"
	@echo "make validation   coverage and type I error in 1,000 simulated studies (20 minutes): docs/validation.md"
	@echo "make bench    benchmarks    make slow   slow tests    make clean   remove what was made"

# One environment; the stamps make second runs reuse it. The developers' set contains the users' one. Without PYTHON the
# environment stays with the Python it has; where PYTHON is given and its version is another one, it is made anew.
VERSION = import sys; print("%d.%d" % sys.version_info[:2])
ifeq ($(origin PYTHON),file)
MADE := $(VENV)/pyvenv.cfg
else
MADE := $(VENV)/.python-$(shell $(PYTHON) -c '$(VERSION)')
endif
CHECKED = @$(PYTHON) -c 'import sys; sys.exit("evalkit needs Python 3.11, 3.12 or 3.13; set PYTHON=python3.11") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'

$(VENV)/pyvenv.cfg:
	$(CHECKED)
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.python-%:
	$(CHECKED)
	@if [ "$$($(VENV)/bin/python -c '$(VERSION)' 2>/dev/null)" != "$*" ]; then rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); fi
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml $(MADE)
	@echo "Installing the locked packages (once; a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing the locked developers' packages (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

install: $(VENV)/.runtime

$(DEMO): $(VENV)/.runtime $(wildcard src/evalkit/simulate/*.py)
	@$(BIN)/evalkit simulate --out data/demo

report: $(DEMO)
	@$(BIN)/evalkit render quarterly --study params/study.yaml --out $(REPORTS) --supersede "Made again from the checkout by make report"

# The tests of the HTML edition run where Chromium and Node.js are; elsewhere they say that they are skipped.
tests/web/node_modules/.package-lock.json: tests/web/package-lock.json
	@if command -v npm >/dev/null && command -v chromium >/dev/null; then \
	  (cd tests/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) || echo "npm: the browser tests' packages cannot be had here"; fi

test: $(VENV)/.dev tests/web/node_modules/.package-lock.json
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not spark"

# The tests that render nothing: what another Python would break first (two minutes).
quick: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto -m "not slow and not spark and not browser" $(addprefix tests/,cohort compare engagement intake messages simulate survival)

slow: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto -m "slow"
	@EVALKIT_FUZZ=$${EVALKIT_FUZZ:-2000} $(BIN)/python -m pytest -n auto tests/hardening/test_fuzz.py
	@$(MAKE) --no-print-directory mutants

# For example MUTANTS="stats cohort --near --seed 2 --page": see --help. The first run also makes the map of what tests run.
MUTANTS ?= --page
mutants: $(VENV)/.dev
	@PYTHONPATH=tests $(BIN)/python -m tools.mutants $(MUTANTS)

# Renders of BEFORE (the newest tag of a release where it is not given) are kept in .same. SAME="brief --all": see --help.
same: $(VENV)/.dev
	@PYTHONPATH=tests $(BIN)/python -m tools.same $(if $(BEFORE),--before $(BEFORE)) $(SAME)

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports --verbose
	@$(BIN)/interrogate --quiet src
	@$(BIN)/nbstripout --verify notebooks/*.ipynb
	@$(BIN)/python tests/tools/check_layout.py

types: $(VENV)/.dev
	@$(BIN)/mypy

docs: $(VENV)/.docs
	@$(BIN)/python docs/_site/build.py

check: lint types docs test

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.run

validation: $(VENV)/.dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.validation

# Writes the locks again from pyproject.toml; no index address goes into them.
UV_LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet
lock:
	@$(UV_LOCK) --output-file requirements/runtime.txt
	@uv pip compile requirements/build.in --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet --constraints requirements/runtime.txt --output-file requirements/build.txt
	@$(UV_LOCK) --group dev --extra postgres --constraints requirements/runtime.txt --output-file requirements/dev.txt
	@uv pip compile --group docs --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet --constraints requirements/dev.txt --output-file requirements/docs.txt

clean:
	@rm -rf data/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build

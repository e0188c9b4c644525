# The fixed points: setup, demo, test, up, down, bench. Everything needed is installed by `setup`; nothing by hand.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && { command -v $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/installed
AS_OF ?= $(shell date +%F)

.PHONY: setup demo test check up down bench mutate lock clean

setup: $(STAMP)

# A pinned, hashed uv installs the pinned, hashed requirements: pip 23 cannot check this set.
$(STAMP): requirements-uv.txt requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or set PYTHON=..." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes \
		-r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -c "import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path('purelib'), 'retention_checkout.pth').write_text('$(CURDIR)/plugins\n')"
	@touch $(STAMP)

demo: setup
	@$(BIN)/python -m sandbox.stack demo --as-of $(AS_OF)

up: setup
	@$(BIN)/python -m sandbox.stack up --as-of $(AS_OF)

down:
	@test ! -x $(BIN)/python || $(BIN)/python -m sandbox.stack down

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy plugins sandbox

# What starts a whole Airflow goes alone; all else side by side, a file to a worker.
ALONE := tests/journeys tests/browser tests/production
test: check
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(addprefix --ignore=,$(ALONE))
	@$(BIN)/python -m pytest $(ALONE)

bench: setup
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

# Mutation testing of the decisions and the clocks, on a copy: half an hour on one core. `ONLY=clocks` for some.
mutate: setup
	@test -x .mutation/bin/cosmic-ray || $(BIN)/python -m venv .mutation
	@$(BIN)/uv pip install --quiet --python .mutation/bin/python --require-hashes -r requirements-mutation.txt
	@rm -rf .mutation/tree && mkdir .mutation/tree && cp -r plugins tests include pyproject.toml .mutation/tree
	@cd .mutation/tree && find . -name __pycache__ -prune -exec rm -rf {} + && \
		export PYTHONPATH=plugins PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 && \
		for set in $(or $(ONLY),clocks decide); do \
			../bin/cosmic-ray init --force tests/mutation/$$set.toml $$set.sqlite && \
			../bin/cr-filter-operators $$set.sqlite tests/mutation/$$set.toml && \
			nice ../bin/cosmic-ray exec tests/mutation/$$set.toml $$set.sqlite && \
			../bin/cr-report --show-diff --surviving-only $$set.sqlite || exit 1; \
		done

# Resolve again after editing a .in file.
lock: setup
	@for set in requirements requirements-dev requirements-clients requirements-mutation; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes $$set.in --output-file $$set.txt; done

clean: down
	@rm -rf .venv .demo .bench .mutation .mypy_cache .ruff_cache .pytest_cache .hypothesis

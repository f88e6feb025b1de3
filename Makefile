# Needs python3 (3.11 or newer), git and make. Uses uv where it is there, pip where it is not; both install the locked set.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
TEST_ARGS ?= -n 2 --dist worksteal

.PHONY: help demo test lint format lock clean langgraph-suite faults mutants storm huge-output huge-log screenshots \
	bench bench-audit bench-cli bench-dispatch bench-view

help:
	@echo "make demo    run the bug-fix example from task file to evidence"
	@echo "make test    run all tests"
	@echo "make lint    ruff and pyright"
	@echo "make format  let ruff rewrite the sources"
	@echo "make lock    renew uv.lock and requirements/ (needs uv)"
	@echo "make clean   remove what the targets made"
	@echo "make langgraph-suite   LangGraph's own tests on LedgerSaver: plain, encrypted, strict"
	@echo "make faults            the fault experiments in full, with a new seed"
	@echo "make mutants           take protections out of the ledger; each must make a test fail"
	@echo "make huge-output       a gigabyte of output from every agent's stand-in"
	@echo "make huge-log          a gigabyte of output that imitates a log, kept, read back and audited"
	@echo "make storm             kill the orchestrator at 200 random instants, and count what workers did"
	@echo "make screenshots       take the pictures of docs/viewer.md again (needs chromium)"
	@echo "make bench-view        how long the viewer makes a person wait"
	@echo "make bench-dispatch    what a step costs over running its commands bare"
	@echo "make bench-audit       an audit of 1,000 checks and 100 MB beside hashing the bytes"
	@echo "make bench-cli         how long the command line lets a person wait"
	@echo "make bench             LedgerSaver beside the other checkpointers"

$(VENV)/.run: pyproject.toml uv.lock requirements/run.txt
	@echo "setting up $(VENV), once"
ifdef UV
	@$(UV) sync --locked --no-dev --quiet
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "waypost needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps -e .
endif
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "adding the development tools, once"
ifdef UV
	@$(UV) sync --locked --quiet
else
	@$(PIP) --require-hashes -r requirements/dev.txt
endif
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements/bench.txt
ifdef UV
	@$(UV) sync --locked --group bench --quiet
else
	@$(PIP) --require-hashes -r requirements/bench.txt
endif
	@touch $@

demo: $(VENV)/.run
	@$(BIN)/python examples/bugfix/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(TEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

langgraph-suite: $(VENV)/.dev
	for mode in plain encrypted strict; do $(BIN)/python tests/langgraph_suite/run.py --mode $$mode || exit 1; done

faults: $(VENV)/.dev
	$(BIN)/python tests/faults/run.py

mutants: $(VENV)/.dev
	$(BIN)/python tests/mutants/run.py

huge-output: $(VENV)/.dev
	$(BIN)/python tests/standins/huge.py

huge-log: $(VENV)/.dev
	$(BIN)/python tests/audit/huge_log.py

storm: $(VENV)/.dev
	$(BIN)/python tests/storm/run.py --kills 200

screenshots: $(VENV)/.dev
	rm -rf /tmp/waypost-shop
	WAYPOST_SCREENSHOTS=docs/viewer $(BIN)/python -m pytest -q -n 0 tests/viewer/test_in_a_browser.py -k "screenshots or live"

bench-view: $(VENV)/.dev
	$(BIN)/python benchmarks/view.py

bench-dispatch: $(VENV)/.dev
	$(BIN)/python benchmarks/dispatch.py

bench-audit: $(VENV)/.dev
	$(BIN)/python benchmarks/audit.py
bench-cli: $(VENV)/.dev
	$(BIN)/python benchmarks/cli.py

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/checkpointers.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	uv lock
	uv export --quiet --locked --no-dev --no-emit-project --no-header --format requirements-txt -o requirements/run.txt
	uv export --quiet --locked --no-emit-project --no-header --format requirements-txt -o requirements/dev.txt
	uv export --quiet --locked --group bench --no-emit-project --no-header --format requirements-txt -o requirements/bench.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

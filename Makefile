# Two commands: `make run` sets up a fresh machine and runs the main job; `make test` sets up and runs all tests.
# Needs Python >= 3.11, make and git; uses uv where it is installed.
PACK ?= packs/demo
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TEST := $(VENV)/.ready-test
READY_BENCH := $(VENV)/.ready-bench

.PHONY: run test lint check bench clean

run: $(READY)
	$(BIN)/zpo2 run --pack $(PACK)

test: $(READY_TEST)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(READY_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

check: $(READY)
	$(BIN)/zpo2 check --pack $(PACK)

bench: $(READY_BENCH)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/events.py
	$(BIN)/python benchmarks/uncertainty.py
	$(BIN)/python benchmarks/publish.py

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@if command -v uv >/dev/null 2>&1; then \
		{ test -x $(BIN)/python || uv venv --quiet --python "$(PYTHON)" $(VENV); } && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		{ test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); } && \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

$(READY_TEST): $(READY) requirements-dev.lock
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock; \
	else \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.lock; \
	fi
	@touch $@

$(READY_BENCH): $(READY) requirements-bench.lock
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-bench.lock; \
	else \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-bench.lock; \
	fi
	@touch $@

clean:
	rm -rf $(VENV) data

# The commands of a developer. Each sets up what it needs first: `make run` and `make test` work on a fresh machine.
# Needs Python >= 3.11, make and git; uses uv where it is installed.
PACK ?= packs/demo
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
NODE_READY := site/node_modules/.ready
BUILT := ../exports/site/built
export PYTHONDONTWRITEBYTECODE :=  # tests start hundreds of processes, and each would compile the modules anew

.DEFAULT_GOAL := help
.PHONY: help run check test unit portals fmt lint lint-sql lint-site site docs bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY)  ## run a pack and publish its release: make run PACK=packs/cz
	$(BIN)/zpo2 run --pack $(PACK)

check: $(READY)  ## check the files of a pack: make check PACK=packs/cz
	$(BIN)/zpo2 check --pack $(PACK)

test: $(READY_DEV)  ## run all tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=40

unit: $(READY_DEV)  ## run the fast tests, in under a minute
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not slow and not acceptance" tests/unit

portals: $(READY_DEV)  ## push to a real CKAN and a real S3 server on loopback, installed first
	sh tests/portals/install.sh build/portals
	REAL_PORTALS=$(CURDIR)/build/portals $(BIN)/python -m pytest tests/portals

fmt: $(READY_DEV)  ## format the Python code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: $(READY_DEV) lint-site lint-sql  ## check style, spelling, types, import contracts and the generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/yamllint --strict .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

lint-sql: $(READY_DEV)  ## check the style of the dbt project's SQL
	$(BIN)/sqlfluff lint --processes 2 dbt_project

lint-site:  ## check the types of the site, and that its sources build to the committed files
	@if command -v npm >/dev/null 2>&1; then \
		$(MAKE) --silent $(NODE_READY) && cd site && npm run --silent check && node build.mjs --out ../build/site && \
		{ diff -qr ../build/site $(BUILT) || \
			{ echo "exports/site/built is not what site/ builds to. Run make site, and commit what it changes." >&2; exit 1; }; }; \
	elif test -n "$$CI"; then \
		echo "Node is missing: nothing proves that exports/site/built is what site/ builds to. Install Node 18 or later with npm." >&2; exit 1; \
	else \
		echo "There is no Node, so the site is not checked. It needs Node 18 or later with npm."; \
	fi

site: $(NODE_READY) $(READY_DEV)  ## build script and style of the site anew, and check its types and texts
	@cd site && npm run --silent check && npm run --silent build
	$(BIN)/python -m pytest tests/unit/test_site_sources.py tests/unit/test_site_texts.py

docs: $(READY_DEV)  ## build the documentation site in build/docs and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	$(BIN)/python docs/check_site.py build/docs

bench: $(READY_DEV)  ## measure speed and memory
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/events.py
	$(BIN)/python benchmarks/uncertainty.py
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/scale.py

clean:  ## remove the environments, the data of all runs and the built pages
	rm -rf $(VENV) data build site/node_modules

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

$(READY_DEV): $(READY) requirements-dev.lock
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock; \
	else \
		$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements-dev.lock; \
	fi
	@touch $@

$(NODE_READY): site/package.json site/package-lock.json
	@cd site && npm ci --silent
	@touch $@

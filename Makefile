# make run       serve the console on http://127.0.0.1:8000
# make test      run all tests
# make test-all  run all tests with more examples, rounds and rows; much slower
# make check     lint, types, import rules, dependencies
# make dist      build the wheel and its list of dependencies in dist/
# make bench     benchmark with a million rows; for less: BENCH="--sizes 10000 --databases sqlite"

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
SYNC := UV_PYTHON_DOWNLOADS=never UV_PYTHON=$(BIN)/python $(UV) sync --quiet --frozen --inexact

.PHONY: run test test-all check dist bench
.DELETE_ON_ERROR:

run: .venv/.run
	@exec $(BIN)/python manage.py serve

test: .venv/.test
	@.ci/chromium
	@.ci/axe
	@.ci/test $(PYTEST)

test-all: export TEST_SIZES = large
test-all: test

check: .venv/.check
	@.ci/check

dist: $(UV)
	@rm -rf dist
	@$(UV) build --quiet --wheel --out-dir dist
	@$(UV) export --quiet --frozen --no-emit-project --output-file dist/requirements.txt

bench: .venv/.bench
	$(BIN)/python -m bench.million $(BENCH)

# Stamp files mark what is installed, so that later runs skip it. --inexact keeps the packages of
# other targets.
.venv/.run: uv.lock $(UV)
	@$(SYNC)
	@touch $@

.venv/.test: uv.lock $(UV)
	@$(SYNC) --group test
	@touch $@ .venv/.run

.venv/.check: uv.lock $(UV)
	@$(SYNC) --group test --group check
	@touch $@ .venv/.test .venv/.run

.venv/.bench: uv.lock $(UV)
	@$(SYNC) --group test --group bench
	@touch $@ .venv/.test .venv/.run

$(UV):
	@.ci/venv $(PYTHON)

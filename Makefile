# Every target does its own set-up; all that is needed is Python 3.11 or newer, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BUILD := $(VENV)-build
TOOLS := $(VENV)-tools
QUIET := --quiet --disable-pip-version-check

# Where the environment forbids Python to keep what it compiled, each of the programs that the tests start would compile
# all of ours anew, which takes longer than all else of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo check test fuzz soak lint format man wheel lock audit clean

demo: $(READY)
	@$(BIN)/marginwatch demo $(ARGS)

# Many tests wait for a process or a socket most of the time, so there may be more workers than cores. A worker without
# work takes some of another's, as the slow tests stand beside each other.
test: $(READY)
	$(BIN)/pytest -n 4 --dist worksteal --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --fail-under=92
	$(BIN)/coverage report --fail-under=100 --include='daemon/readings/*,daemon/rules/*,daemon/alerts/*,daemon/messages/*'

# What a change is tried with before each commit: the checks of style, types and imports, and the tests that need no
# process and no socket.
FAST = tests/alerts tests/config tests/docs/test_architecture.py tests/messages tests/readings tests/rules tests/text

check: lint
	MARGINWATCH_HYPOTHESIS=quick $(BIN)/pytest -q -n 2 --dist worksteal $(FAST) \
		--deselect tests/config/parse/test_size_limits.py $(ARGS)

# A hundred thousand texts that nobody would write, for each test of what reads them; MARGINWATCH_HYPOTHESIS names a
# profile of tests/conftest.py.
fuzz: $(READY)
	MARGINWATCH_HYPOTHESIS=fuzz $(BIN)/pytest -n 2 -m fuzz --timeout 0 $(ARGS)

# Ten minutes of a bad day, alone on the machine; then many random days, kills and stories. Needs faketime.
soak: $(READY)
	MARGINWATCH_SOAK=600 MARGINWATCH_REQUIRE=faketime $(BIN)/pytest -s --timeout 0 tests/end_to_end/test_soak.py $(ARGS)
	MARGINWATCH_SOAK=600 $(BIN)/pytest -n 2 -m soak --timeout 0 $(ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Nothing is fetched while the wheel is built: requirements-build.lock pins all that takes part.
man: $(READY)
	$(BIN)/python -m daemon.cli.manual > docs/marginwatch.1

wheel: $(BUILD)/.ready
	@rm -f dist/marginwatch-*.whl
	@$(BUILD)/bin/python -m pip wheel $(QUIET) --no-index --no-deps --no-build-isolation --wheel-dir dist .
	@echo "Built $$(echo dist/marginwatch-*.whl)"

# The lock files name every package by hash and no place to fetch it from. Only wheels: to build a package from its source
# would run code that nothing pins. `make lock ARGS=--upgrade` takes newer versions.
COMPILE = $(TOOLS)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-strip-extras --only-binary :all: --emit-build-options $(ARGS)

lock: $(TOOLS)/.ready
	$(COMPILE) --extra postgresql -o requirements.lock pyproject.toml
	$(COMPILE) --extra postgresql --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	$(COMPILE) --group build -c requirements-dev.lock -o requirements-build.lock
	$(COMPILE) --group tools -o requirements-tools.lock

# The first call asks nobody: where it fails, the lock file is wrong. Where the second gives no JSON, the database did
# not answer. pip-audit says "No known vulnerabilities" in both cases, so its own words are not shown.
AUDIT = $(TOOLS)/bin/pip-audit --require-hashes --disable-pip --progress-spinner off -r requirements.lock

audit: $(TOOLS)/.ready
	@said=$$($(AUDIT) --dry-run 2>&1) || { echo "$$said"; exit 1; }
	@$(AUDIT) --format json 2>/dev/null | $(TOOLS)/bin/python .ci/audit.py

define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "marginwatch needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
@echo "Setting up $(@D) (once) ..."
@$(PYTHON) -m venv $(@D)
@$(@D)/bin/python -m pip install $(QUIET) --require-hashes -r $<
endef

$(READY): requirements-dev.lock pyproject.toml
	$(environment)
	@$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)-%/.ready: requirements-%.lock
	$(environment)
	@touch $@

clean:
	rm -rf $(VENV) $(BUILD) $(TOOLS) dist build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# Nightlatch: what a developer does in a day. `make help` lists it.

VENV := .venv
BIN := $(VENV)/bin
# Any Python 3 can run the setup; it looks for one that Nightlatch can use.
PYTHON ?= $(shell command -v python3 || command -v python)
# Both cores; a file's tests stay together, so that each of the two has one Kafka that they share.
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile
FOR_DEMO := -e '.[local-kafka]'
FOR_TESTS := -e '.[local-kafka,report,sharing,evidence]' --group dev
FOR_BENCH := $(FOR_TESTS) --group bench

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint format unit integration e2e bench compiled clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/for-demo: pyproject.toml .ci/setup.py
	@$(call install,$(FOR_DEMO))

$(VENV)/for-tests: pyproject.toml .ci/setup.py
	@$(call install,$(FOR_TESTS))
	@touch $(VENV)/for-demo

$(VENV)/for-bench: pyproject.toml .ci/setup.py
	@$(call install,$(FOR_BENCH))
	@touch $(VENV)/for-demo $(VENV)/for-tests

# $(1): what pip is asked for. Touches the target only when all went well.
define install
if [ -z "$(PYTHON)" ]; then \
	echo "Nightlatch needs Python 3.11, 3.12 or 3.13: install one and call make again." >&2; exit 1; fi; \
$(PYTHON) .ci/setup.py $(VENV) $(1) && touch $@
endef

setup: $(VENV)/for-tests  ## Make the virtual environment in .venv, with everything for development

demo: $(VENV)/for-demo  ## Watch hijacks being caught, on a real Kafka; BROKER=host:port uses yours
	@$(BIN)/nightlatch demo $(if $(BROKER),--broker $(BROKER))

lint: $(VENV)/for-tests  ## Format check, lint, types, layer rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/for-tests  ## Format the code, and mend what lint can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(VENV)/for-tests  ## Unit and contract tests: no Kafka
	$(PYTEST) -m "not slow" --dist load tests/unit tests/contracts

integration: $(VENV)/for-tests  ## Tests on a real Kafka, which they start
	$(PYTEST) -m "not slow" tests/integration

e2e: $(VENV)/for-tests  ## Tests of the commands as a user runs them
	$(PYTEST) -m "not slow" tests/e2e

test: lint unit  ## Everything that must hold before a change is merged
	$(PYTEST) -m "not slow" tests/integration tests/e2e

test-all: lint  ## The same, with the chaos and soak runs
	$(PYTEST) tests

bench: $(VENV)/for-bench compiled  ## Events a second of one worker, beside what Kafka lets Python do
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target build/bench dist/nightlatch-*cp*.whl
	$(BIN)/python -m tests.benchmarks.throughput --compiled build/bench --json build/bench.json --plot build/bench.svg

compiled: $(VENV)/for-tests  ## A wheel with the engine compiled to C, in dist; needs a C compiler
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:  ## Remove everything that these commands made
	@if [ -x $(BIN)/nightlatch ]; then $(BIN)/nightlatch kafka stop; fi
	rm -rf $(VENV) .nightlatch .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find detectors streams tests -name __pycache__ -prune -exec rm -rf {} +

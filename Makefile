# The front door. `make` alone lists what there is.

.DEFAULT_GOAL := help
.PHONY: help setup demo edge test lint fuzz chaos bench screenshots lock

VENV := .venv
PYTHON_VERSION := 3.11
# Each has an engine of its own; one more than two cores, as some tests wait.
TEST_WORKERS ?= 3
# Without an index's address or a header, so that the lock is the same wherever it is written.
COMPILE := $(VENV)/bin/uv pip compile --quiet --python-version $(PYTHON_VERSION) \
	--generate-hashes --no-emit-index-url --no-header

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/installed ## Create .venv from the locked requirements (again only when they change)

demo: setup ## Serve live video feeds on port 8000, computed from signed events; Ctrl-C stops it
	@SECRET_KEY="$${SECRET_KEY:-$$($(VENV)/bin/python -c 'import secrets; print(secrets.token_hex(32))')}" \
		$(VENV)/bin/python manage.py demo

edge: setup ## The same behind nginx on port 8080, which answers from memory
	@SECRET_KEY="$${SECRET_KEY:-$$($(VENV)/bin/python -c 'import secrets; print(secrets.token_hex(32))')}" \
		$(VENV)/bin/python manage.py demo --edge

test: setup ## Run the tests
	$(VENV)/bin/python -m pytest -n $(TEST_WORKERS)

lint: export DJANGO_SETTINGS_MODULE = tests.settings
lint: setup ## Check style, types, import direction and Django's migrations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry --no-ansi .
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/python manage.py makemigrations --check --dry-run

fuzz: setup ## Try 1,000 random event sets, 40,000 mutated events, every order (FUZZ_SEED repeats)
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} FUZZ_MUTATIONS=$${FUZZ_MUTATIONS:-40000} \
		$(VENV)/bin/python -m pytest -v tests/test_answers.py \
		tests/test_semantics_vectors.py \
		tests/funnel/test_nostr.py::test_mutated_events_are_judged_as_nostr_sdk_does

# CHAOS='--events 5000 --seed 7' repeats a run; each prints its seed.
chaos: setup ## Publish 50,000 events while processes are killed, and look for what is lost or doubled
	$(VENV)/bin/python -m tests.chaos $(CHAOS)

bench: setup ## Measure what bench/README.md lists, on this machine
	$(VENV)/bin/python -m bench.ingest
	$(VENV)/bin/python -m bench.ingest_outage
	$(VENV)/bin/python -m bench.ingest_workers
	$(VENV)/bin/python -m bench.projection
	$(VENV)/bin/python -m bench.search
	$(VENV)/bin/python -m bench.trust

screenshots: setup ## Take the pictures of docs/images (needs chromium and chromium-driver)
	$(VENV)/bin/python -m tests.browser.screenshots

lock: setup ## Write requirements*.txt from requirements*.in
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

# The stamp is written last: an interrupted installation is taken up again.
$(VENV)/installed: requirements-dev.txt
	@for python in $(PYTHON) python$(PYTHON_VERSION) python3; do \
		version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
		[ "$$version" = $(PYTHON_VERSION) ] && break; \
	done; \
	if [ "$$version" != $(PYTHON_VERSION) ]; then \
		echo "Python $(PYTHON_VERSION) is needed, as python$(PYTHON_VERSION) or python3 (found: $${version:-none});" \
			"or name it: make PYTHON=/path/to/python$(PYTHON_VERSION)" >&2; \
		exit 1; \
	fi; \
	"$$python" -m venv $(VENV)
	@echo "Installing the locked requirements into $(VENV)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-dev.txt
	@touch $@

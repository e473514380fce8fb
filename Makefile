# Everything on a fresh machine: `make up`. What it makes lies in .venv, .engarde and Pulumi.local.yaml.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# The user's own settings must not lead Python to other modules, nor have every start compile ours anew.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

VENV_PYTHON := .venv/bin/python
UV := .venv/bin/uv
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
# A name can exist and still fail, as a version manager's does for a version that is not chosen.
WITH_PYTHON = @for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then exec "$$python" $(1); fi; done; \
	echo 'No usable Python: 3.11 or later with venv and ensurepip (on Debian and Ubuntu the package' >&2; \
	echo 'python3-venv). Install it, or name one: make PYTHON=/path/to/python3 ...' >&2; exit 2

.PHONY: help up demo down clean test test-all lint lock bench venv

# Which part of the tests `make test-all` runs: admins, exhaustive, or pg13 to pg18; without one, all on the server of
# `make up`. tests/parts.py says what is in each, and pytest refuses any other.
PART =
# Three at once on two cores: a third of the time a test waits, for a time limit or a deployment.
PYTEST = $(VENV_PYTHON) -m pytest -n 3 --dist loadgroup --durations=30

# How many services `make bench` measures with, and how often.
SIZES = 4 50 200
ROUNDS = 1

help: ## lists what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: venv ## brings up everything: engine, plugins, a PostgreSQL, the stack `local`; again changes nothing
	@$(VENV_PYTHON) -m devtools.local up

demo: up ## migrates four small services in the stack `local`, and shows what each has then
	@$(VENV_PYTHON) -m devtools.local demo

down: ## stops the PostgreSQL of `make up` and keeps its data
	$(call WITH_PYTHON,-B -m devtools.local down)

clean: ## removes what the other targets made in this folder
	$(call WITH_PYTHON,-B -m devtools.local clean)

test: lint ## linters, and the tests that every change must pass: PostgreSQL 17, mostly with a superuser
	@$(VENV_PYTHON) -m devtools.local engine
	$(PYTEST) --part=usual

test-all: venv ## all tests, which takes hours; PART=admins, exhaustive, pg13, pg14, pg15, pg16, pg17 or pg18 is one part
	@$(VENV_PYTHON) -m devtools.local engine
	$(PYTEST) $(if $(PART),--part=$(PART))

lint: venv ## formatting, linters, types, direction of imports, workflows
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo --no-cache
	$(VENV_PYTHON) -m devtools.ci.structure
	$(VENV_PYTHON) -m devtools.ci.lint

# By uv, as pip-tools writes a lock for one system and one Python alone. It runs from the .venv that is there: a new one
# would need the lock that is to be replaced.
lock: $(UV) ## writes requirements.lock, what production installs: all that requirements.txt needs, with hashes
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--custom-compile-command 'make lock' --output-file requirements.lock requirements.txt

bench: venv ## times up, previews and destroy beside one psql script and Terraform, verify, status, backup: SIZES="4 50" ROUNDS=3
	@$(VENV_PYTHON) -m devtools.local engine
	@$(VENV_PYTHON) -m tests.bench --sizes $(SIZES) --rounds $(ROUNDS)
	@$(VENV_PYTHON) -m tests.bench.verify --rounds 5
	@$(VENV_PYTHON) -m tests.bench.status
	@$(VENV_PYTHON) -m tests.bench.backup

venv $(UV):
	$(call WITH_PYTHON,-B -m devtools.local.venv)

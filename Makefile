# The portal's commands. The only prerequisites are Python 3.11+ and Node 20+; everything else is installed into this folder.

PYTHON ?= python3
VENV := .venv/bin/python
PORTAL := $(VENV) -m rrp_portal.embedded

.PHONY: help run manage test gates fix requirements openapi bench pins stop clean python node

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

run: python ## the whole portal on this machine, with a demonstration
	@$(PORTAL) run

manage: python ## a command of manage.py on the same data: make manage ARGS="verify_rollups"
	@$(PORTAL) exec -- $(VENV) manage.py $(ARGS)

test: gates ## every gate, then every test
	$(PORTAL) test -- $(VENV) -m pytest -n 2 $(ARGS)

gates: python node ## format, lint, layers, types, migrations, deployment, API description, templates, sizes
	@$(PORTAL) test -- $(VENV) -m tools.gates

fix: python ## let the formatter and the linter repair what they can
	$(VENV) -m ruff format .
	$(VENV) -m ruff check --fix .

requirements: python ## every requirement with the tests that show it
	@$(VENV) -m tools.requirements_report

openapi: python ## write docs/openapi.yaml anew
	@$(PORTAL) test -- $(VENV) -m tools.check_openapi --write

bench: python ## the benchmarks, as ratios against bare references
	@$(PORTAL) test -- $(VENV) -m benchmarks $(ARGS)

pins: python ## exact versions and hashes of everything in requirements*.in
	sh tools/pins.sh

stop: python ## stop embedded services that were left running
	@$(PORTAL) stop

clean: ## remove everything that was installed or made here, the local data included
	@sh tools/clean.sh

python:
	@sh tools/install.sh python "$(PYTHON)"
	@$(VENV) -m tools.compile_messages

node:
	@sh tools/install.sh node

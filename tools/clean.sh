#!/bin/sh
# Remove everything that was installed or made in this folder, unless the portal or a test runs.
set -eu
cd "$(dirname "$0")/.."
if [ -x .venv/bin/python ] && [ -d .run ]; then
    .venv/bin/python -m rrp_portal.embedded stop
fi
rm -rf .venv .run node_modules staticfiles media .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
find . -name __pycache__ -type d -prune -exec rm -rf {} +

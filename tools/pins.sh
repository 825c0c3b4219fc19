#!/bin/sh
# Turn requirements*.in into exact versions with hashes; set UPGRADE=--upgrade to take newer versions.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .run
[ -x .run/uv/bin/uv ] || { python3 -m venv .run/uv && .run/uv/bin/pip install --quiet uv; }
for name in requirements requirements-dev; do
    .run/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate ${UPGRADE:-} \
        --custom-compile-command "make pins" "$name.in" --output-file "$name.txt"
done

#!/bin/sh
# Install what the portal needs into this folder, unless it is there already: `install.sh python [interpreter]` or `install.sh node`.
set -eu

refuse() {
    echo "$*" >&2
    exit 1
}

# try LOG WHAT COMMAND...: run the command quietly; when it fails, say in one sentence why.
try() {
    log=$1 what=$2
    shift 2
    if ! "$@" >"$log" 2>&1; then
        if grep -qiE "no space left|ENOSPC|disk quota" "$log"; then
            refuse "The disk is full: free some space (about 1 GB is needed) and try again."
        fi
        last=$(grep -v '^[[:space:]]*$' "$log" | grep -iE "error|not" | tail -n 1)
        refuse "$what failed (${last:-no reason given}); the whole story is in $log."
    fi
}

enough_disk() {
    free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024)}')
    [ "${free:-9999}" -ge 1000 ] || refuse "The disk is full: $free MB are free, and installing needs about 1000 MB."
}

install_python() {
    interpreter=$1
    command -v "$interpreter" >/dev/null 2>&1 ||
        refuse "There is no $interpreter: install Python 3.11 or later, or name one, as in \`make run PYTHON=/path/to/python3\`."
    "$interpreter" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "The portal needs Python 3.11 or later, and $interpreter is $("$interpreter" -V 2>&1): name another, as in \`make run PYTHON=python3.12\`."
    if cat requirements.txt requirements-dev.txt | cmp -s - .venv/installed.txt && .venv/bin/python -c '' 2>/dev/null; then
        return 0
    fi
    enough_disk
    mkdir -p .run
    echo "Installing Python packages into .venv (a minute, once) ..."
    .venv/bin/python -c '' 2>/dev/null ||
        try .run/install.log "Creating the virtual environment (on Debian it needs the package python3-venv)" \
            "$interpreter" -m venv --clear .venv
    try .run/install.log "Installing Python packages" .venv/bin/python -m pip install --disable-pip-version-check \
        --no-input --require-hashes -r requirements.txt -r requirements-dev.txt
    cat requirements.txt requirements-dev.txt >.venv/installed.txt
}

install_node() {
    for program in node npm; do
        command -v $program >/dev/null 2>&1 || refuse "There is no $program: install Node.js 20 or later, which brings it."
    done
    node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' ||
        refuse "The tests need Node.js 20 or later, and this is $(node --version)."
    cmp -s package-lock.json node_modules/installed.json && return 0
    enough_disk
    mkdir -p .run
    echo "Installing npm packages into node_modules ..."
    try .run/install-node.log "Installing npm packages" npm ci --no-fund --no-audit --ignore-scripts
    cp package-lock.json node_modules/installed.json
}

cd "$(dirname "$0")/.."
case ${1:-} in
    python) install_python "${2:-python3}" ;;
    node) install_node ;;
    *) refuse "Say what to install: python or node." ;;
esac

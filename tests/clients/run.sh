#!/bin/sh
# Runs the unmodified clients of docs/clients.md through restarts, kills, expiry and revocation:
#
#     SNACKBASE_BIN=target/debug/snackbase tests/clients/run.sh
#
# `run.sh install` fetches them: the JavaScript ones into node_modules, those in Python into a folder of their own, in
# CLIENTS_PYTHON or below the target folder. What is not installed is skipped.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
CLIENTS_PYTHON=${CLIENTS_PYTHON:-${CARGO_TARGET_DIR:-$here/../../target}/clients-python}
export CLIENTS_PYTHON

if [ "${1:-}" = install ]; then
    (cd "$here" && npm ci --no-audit --no-fund)
    if ! "$CLIENTS_PYTHON/bin/pip" install --quiet --requirement "$here/requirements.txt" 2>/dev/null; then
        python3 -m venv --clear "$CLIENTS_PYTHON"
        "$CLIENTS_PYTHON/bin/pip" install --quiet --requirement "$here/requirements.txt"
    fi
    exit
fi

cd "$here"
exec node --test

#!/bin/sh
# Holds the server to its API document with Schemathesis; see tests/schemathesis/run.py.
#
#     SNACKBASE_BIN=target/debug/snackbase tests/with-postgres.sh tests/schemathesis.sh
#
# Schemathesis is Python: `tests/schemathesis.sh install` puts it into a folder of its own, in SCHEMATHESIS_HOME or below
# the target folder. Where it is missing, the tests are skipped, but not in continuous integration.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${SCHEMATHESIS_HOME:-${CARGO_TARGET_DIR:-$here/../target}/schemathesis}

if [ "${1:-}" = install ]; then
    if ! "$home/bin/pip" install --quiet --requirement "$here/schemathesis/requirements.txt" 2>/dev/null; then
        python3 -m venv --clear "$home"
        "$home/bin/pip" install --quiet --requirement "$here/schemathesis/requirements.txt"
    fi
    exit
fi

if [ ! -x "$home/bin/st" ]; then
    if [ "${CI:-}" = true ]; then
        echo "schemathesis.sh: there is no Schemathesis in $home; run tests/schemathesis.sh install" >&2
        exit 69
    fi
    echo "### SKIPPED: Schemathesis, because it is not installed; run tests/schemathesis.sh install ###" >&2
    exit 0
fi
exec "$home/bin/python" "$here/schemathesis/run.py"

#!/bin/sh
# Runs a command with a throw-away service that speaks the protocol of S3 (moto), whose URL is in SNACKBASE_TEST_S3_URL,
# and stops it afterwards:
#
#     tests/with-s3.sh cargo test --test api -- files
#
# Needs Python 3; moto is installed into a temporary folder, or SNACKBASE_TEST_MOTO names its moto_server. With a service
# of one's own the variable can be set instead: the tests make buckets of their own in it.
set -eu

folder=$(mktemp -d "${TMPDIR:-/tmp}/snackbase-s3.XXXXXX")
server=${SNACKBASE_TEST_MOTO:-}
if [ -z "$server" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install -q 'moto[s3,server]==5.2.5'
    server=$folder/venv/bin/moto_server
fi

port=$(awk -v seed="$$" 'BEGIN { srand(seed); print 32000 + int(rand() * 12000) }')
"$server" -H 127.0.0.1 -p "$port" >"$folder/log" 2>&1 &
process=$!
stop() {
    kill "$process" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

attempt=0
until grep -q "Running on" "$folder/log"; do
    attempt=$((attempt + 1))
    if [ "$attempt" -ge 300 ] || ! kill -0 "$process" 2>/dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done

SNACKBASE_TEST_S3_URL="http://127.0.0.1:$port"
export SNACKBASE_TEST_S3_URL
status=0
"$@" || status=$?
exit "$status"

#!/bin/sh
# Runs a command with a throw-away PostgreSQL server, whose URL is in SNACKBASE_TEST_POSTGRES_URL, and stops it
# afterwards:
#
#     tests/with-postgres.sh cargo test
#
# Needs initdb and pg_ctl, in the PATH or where Debian puts them. Works for root, too (as the user postgres). With a
# server of one's own the variable can be set instead.
set -eu

newest=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | tail -n 1 || true)
PATH=$PATH${newest:+:$newest}
if ! command -v initdb >/dev/null || ! command -v pg_ctl >/dev/null; then
    echo "with-postgres.sh: there is no initdb or pg_ctl; install PostgreSQL" >&2
    exit 69
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/snackbase-postgres.XXXXXX")
as_server() {
    if [ "$(id -u)" = 0 ]; then
        su postgres -s /bin/sh -c "PATH='$PATH' && cd / && $1"
    else
        sh -c "cd / && $1"
    fi
}
if [ "$(id -u)" = 0 ]; then
    # The server refuses to run as root.
    chown postgres "$folder"
fi
stop() {
    as_server "pg_ctl -D '$folder/data' -m immediate stop" >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

# A collation that is not byte-wise and a time zone that is not UTC, so that a forgotten one shows.
as_server "initdb -D '$folder/data' -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en-US" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
rm -f "$folder.log"

# fsync stays on: the tests of durability mean it. Another process may take the port first, so try again.
attempt=0
while :; do
    attempt=$((attempt + 1))
    port=$(awk -v seed="$$$attempt" 'BEGIN { srand(seed); print 20000 + int(rand() * 12000) }')
    settings="-c port=$port -c listen_addresses=127.0.0.1 -k $folder -c max_connections=300 -c timezone=Asia/Tokyo"
    if as_server "pg_ctl -D '$folder/data' -w -l '$folder/log' -o '$settings' start" >/dev/null 2>&1; then
        break
    fi
    if [ "$attempt" -ge 10 ]; then
        cat "$folder/log" >&2
        exit 1
    fi
done

SNACKBASE_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
export SNACKBASE_TEST_POSTGRES_URL
status=0
"$@" || status=$?
exit "$status"

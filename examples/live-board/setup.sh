#!/bin/sh
# Prepares a server for the board: its collection, its room, and somebody to sign in as.
# Usage: SNACKBASE_SUPERADMIN_EMAIL=… SNACKBASE_SUPERADMIN_PASSWORD=… ./setup.sh [http://127.0.0.1:8000]
set -eu

api="${1:-http://127.0.0.1:8000}/api/v1"
: "${SNACKBASE_SUPERADMIN_EMAIL:?the address of the superadmin}" "${SNACKBASE_SUPERADMIN_PASSWORD:?and the password}"

send() { curl -sS "$api/$1" -H "Authorization: Bearer ${token:-}" -H 'Content-Type: application/json' -d "$2"; echo; }

token=$(curl -sS "$api/auth/login" -H 'Content-Type: application/json' \
  -d "{\"account\": \"system\", \"email\": \"$SNACKBASE_SUPERADMIN_EMAIL\", \"password\": \"$SNACKBASE_SUPERADMIN_PASSWORD\"}" |
  sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
[ -n "$token" ] || { echo 'The superadmin cannot sign in.' >&2; exit 1; }

rule='@request.auth.id != null'
send collections "{\"name\": \"board_notes\", \"fields\": [{\"name\": \"text\", \"type\": \"text\"},
  {\"name\": \"x\", \"type\": \"number\"}, {\"name\": \"y\", \"type\": \"number\"}, {\"name\": \"color\", \"type\": \"text\"}],
  \"list_rule\": \"$rule\", \"view_rule\": \"$rule\", \"create_rule\": \"$rule\", \"update_rule\": \"$rule\", \"delete_rule\": \"$rule\"}"
send realtime/rooms '{"pattern": "board:{id}", "join_rule": "", "publish_rule": "", "presence_rule": ""}'
send auth/register '{"account_name": "Demo", "account_slug": "demo", "email": "demo@example.com", "password": "Correct-Horse-7"}'

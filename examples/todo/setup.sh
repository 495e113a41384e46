#!/bin/sh
# Makes the collection of the to-do page: everybody sees and changes the entries of their account.
#
#     SNACKBASE_SUPERADMIN_EMAIL=… SNACKBASE_SUPERADMIN_PASSWORD=… examples/todo/setup.sh [url]
set -eu

url=${1:-http://127.0.0.1:8000}
post() {
    curl -sS --fail-with-body "$url/api/v1/$1" -H 'Content-Type: application/json' ${token:+-H "Authorization: Bearer $token"} -d "$2"
}

token=
token=$(post auth/login "{\"account\": \"system\", \"email\": \"$SNACKBASE_SUPERADMIN_EMAIL\", \
    \"password\": \"$SNACKBASE_SUPERADMIN_PASSWORD\"}" | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
signed_in='@request.auth.id != null'
post collections "{
  \"name\": \"todos\",
  \"schema\": [
    {\"name\": \"title\", \"type\": \"text\", \"required\": true},
    {\"name\": \"done\", \"type\": \"boolean\", \"default\": false},
    {\"name\": \"client_id\", \"type\": \"text\", \"unique\": true}
  ],
  \"list_rule\": \"$signed_in\", \"view_rule\": \"$signed_in\", \"create_rule\": \"$signed_in\",
  \"update_rule\": \"$signed_in\", \"delete_rule\": \"$signed_in\"
}" >/dev/null
echo "The collection todos is ready at $url."

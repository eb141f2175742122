#!/bin/sh
# Logs in, asks whether the access token is live, logs out, and asks again. No secret is ever an argument.
set -eu

: "${SIGNOFF_URL:=https://localhost:8443}"
: "${SIGNOFF_USERNAME:=demo}"
: "${SIGNOFF_PASSWORD_FILE:=.signoff/demo-password}"
: "${CURL_CA_BUNDLE:=.signoff/tls/cert.pem}"
: "${SIGNOFF_CLIENT_ID:?set it and SIGNOFF_CLIENT_SECRET, as printed by: signoff peer add NAME}"
: "${SIGNOFF_CLIENT_SECRET:?set it, as printed by: signoff peer add NAME}"
export CURL_CA_BUNDLE

ask() { curl --silent --show-error --fail --max-time 10 "$@"; }
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

introspect() {
  printf 'user = "%s:%s"\ndata-urlencode = "token=%s"\n' \
    "$SIGNOFF_CLIENT_ID" "$SIGNOFF_CLIENT_SECRET" "$1" |
    ask --config - "$SIGNOFF_URL/oauth/introspect"
}

pair=$(ask --data-urlencode "username=$SIGNOFF_USERNAME" \
  --data-urlencode "password@$SIGNOFF_PASSWORD_FILE" "$SIGNOFF_URL/auth/login/")
access=$(echo "$pair" | field access)
refresh=$(echo "$pair" | field refresh)

answer=$(introspect "$access")
echo "logged in:  $answer"
answer=$(printf 'refresh_token=%s' "$refresh" | ask --data @- "$SIGNOFF_URL/auth/logout/")
echo "logout:     $answer"
answer=$(introspect "$access")
echo "logged out: $answer"
test "$answer" = '{"active":false}'

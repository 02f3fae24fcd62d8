#!/bin/sh
# read-secret NAME: print one secret of the region's store, with this machine's own identity.
# A token never stands on a command line: curl reads its header from stdin.
set -eu

fail() {
  echo "read-secret: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail "usage: read-secret NAME"
name=$1

get() {
  curl --silent --show-error --fail-with-body --max-time 10 --retry 8 --retry-connrefused --retry-delay 2 "$@"
}

metadata() {
  get --noproxy '*' --header 'Metadata-Flavor: Google' "http://metadata.google.internal/computeMetadata/v1/$1"
}

# Each answer is kept before it is read: in a pipe curl's failure would be lost.
# The document comes by stdin, never as an argument.
field() {
  python3 -c '
import base64, json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
sys.stdout.write(base64.b64decode(value).decode() if sys.argv[1] == "payload.data" else value)
' "$1"
}

project=$(metadata project/project-id) || fail "the metadata service does not say the project: $project"
answer=$(metadata instance/service-accounts/default/token) || fail "the metadata service gives no token"
token=$(printf '%s' "$answer" | field access_token) || fail "the metadata service's token cannot be read"
url="https://secretmanager.googleapis.com/v1/projects/$project/secrets/$name/versions/latest:access"
answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" | get --config - "$url") ||
  fail "$name: $(printf '%s' "$answer" | tr -d '\n')"
printf '%s' "$answer" | field payload.data || fail "$name: the store's answer cannot be read"

#!/bin/sh
# read-secret NAME: print one secret of this project's Secret Manager, with the machine's own identity.
# Tokens and answers pass through pipes and memory only: arguments are readable by every process of a machine.
set -eu

METADATA=http://metadata.google.internal/computeMetadata/v1

die() {
  printf 'read-secret: %s\n' "$1" >&2
  exit 1
}

[ $# -eq 1 ] || die 'usage: read-secret NAME'

metadata() {
  curl --fail --silent --max-time 10 --retry 5 --retry-connrefused --noproxy '*' \
    --header 'Metadata-Flavor: Google' "$METADATA/$1"
}

# field PATH: one string of the JSON document on standard input, exactly as it is.
field() {
  python3 -c '
import json, sys
found = json.load(sys.stdin)
for step in sys.argv[1].split("."):
    found = found[step]
sys.stdout.write(found)
' "$1" 2>/dev/null
}

decoded() {
  python3 -c 'import base64, sys; sys.stdout.buffer.write(base64.b64decode(sys.stdin.read(), validate=True))' 2>/dev/null
}

# An error's own words, in one line.
reason() {
  printf %s "$1" | tr -s '[:space:]' ' ' | cut -c 1-300
}

# Each answer is stored before anything reads it: in a pipe, a failed request would look like an empty secret.
project=$(metadata project/project-id) || die "the metadata service does not tell the project (curl $?)"
answer=$(metadata instance/service-accounts/default/token) || die "this machine's identity gets no token (curl $?)"
token=$(printf %s "$answer" | field access_token) || die 'the metadata service answered without a token'

# Not tried again here: curl would print the body of every try, one after the other. The boot asks again.
answer=$(
  printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --config - --fail-with-body --silent --max-time 20 \
      "https://secretmanager.googleapis.com/v1/projects/$project/secrets/$1/versions/latest:access"
) || die "$1 in $project: $(reason "${answer:-no answer (curl $?)}")"

value=$(printf %s "$answer" | field payload.data) || die "$1 in $project has no value"
printf %s "$value" | decoded || die "$1 in $project has a value that is not base64"

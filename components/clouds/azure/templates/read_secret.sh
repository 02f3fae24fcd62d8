#!/bin/sh
# read-secret NAME...: read secrets of the region's key vault with the machine's own identity. Prints for each a
# line of its name, a tab and its value in base64; says on standard error, in one line, why one cannot be read.
# Tokens and answers pass through pipes and memory only: arguments are readable by every process of a machine.
set -eu

die() {
  printf 'read-secret: %s\n' "$1" >&2
  exit 1
}

[ $# -gt 0 ] || die 'usage: read-secret NAME...'

# AZURE_CLIENT_ID, AZURE_KEY_VAULT
# shellcheck source=/dev/null
. /etc/platform/azure.env

answer=$(
  curl --fail --silent --max-time 10 --retry 5 --retry-connrefused --noproxy '*' --header 'Metadata: true' \
    --get --data api-version=2018-02-01 --data-urlencode resource=https://vault.azure.net \
    --data "client_id=$AZURE_CLIENT_ID" http://169.254.169.254/metadata/identity/oauth2/token
) || die "the identity $AZURE_CLIENT_ID gets no token (curl $?)"
token=$(
  printf %s "$answer" |
    python3 -I -S -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["access_token"])' 2>/dev/null
) || die 'the metadata service answered without a token'

# The answers are stored before anything reads them, each with its end: a failed request must not look like an empty
# secret. Not tried again here: curl would print the body of every try, one after the other. The boot asks again.
# A store that does not answer is not asked for the rest.
failed=0
answers=$(
  {
    printf 'header = "Authorization: Bearer %s"\nwrite-out = "\036%%{http_code} %%{exitcode}\036"\n' "$token"
    for name; do
      printf 'url = "https://%s.vault.azure.net/secrets/%s?api-version=7.4"\n' "$AZURE_KEY_VAULT" "$name"
    done
  } | curl --config - --silent --fail-early --max-time 20
) || failed=$?

printf %s "$answers" | python3 -I -S -c '
import base64, json, sys
place, failed, *names = sys.argv[1:]
parts = iter(sys.stdin.buffer.read().split(b"\x1e"))
unread = False
for name in names:
    answer, end = next(parts, b""), next(parts, b"").decode() or f"000 {failed}"
    status, failure = end.split()
    value, why = b"", ""
    # Half an answer may be half a secret: only a whole refusal is said again.
    if failure != "0":
        why = f"no answer (curl {failure})"
    elif status != "200":
        why = " ".join(answer.decode(errors="replace").split())[:300] or f"status {status}"
    else:
        try:
            value = json.loads(answer)["value"].encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
        why = "" if value else "it has no value"
    if why:
        unread = True
        print(f"read-secret: {name} in {place}: {why}", file=sys.stderr)
    else:
        print(name, base64.b64encode(value).decode(), sep="\t")
sys.exit(unread)
' "$AZURE_KEY_VAULT" "$failed" "$@"

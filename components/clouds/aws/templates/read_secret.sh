#!/bin/sh
# read-secret NAME...: read secrets of this region's Secrets Manager with the machine's own identity. Prints for each a
# line of its name, a tab and its value in base64; says on standard error, in one line, why one cannot be read.
# Credentials and answers pass through pipes and memory only: arguments are readable by every process of a machine.
set -eu

METADATA=http://169.254.169.254/latest

die() {
  echo "read-secret: $1" >&2
  exit 1
}

[ $# -gt 0 ] || die "usage: read-secret NAME..."

# The role of a young machine takes a moment to appear in its metadata, hence every error is tried again.
metadata() {
  curl --fail --silent --max-time 10 --retry 5 --retry-delay 1 --retry-all-errors --noproxy '*' "$@"
}

session=$(metadata --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/api/token") ||
  die "the metadata service gives no session (curl $?)"
about() {
  printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$session" | metadata --config - "$METADATA/meta-data/$1"
}
region=$(about placement/region) || die "the metadata service does not tell the region (curl $?)"
role=$(about iam/security-credentials/) || die "this machine has no role (curl $?)"
credentials=$(about "iam/security-credentials/$role") || die "the role $role has no credentials (curl $?)"

# All in one run of curl, over one connection. A body is each request's own, and so is all else after a `next`.
requests=$(
  printf %s "$credentials" | python3 -I -S -c '
import json, sys
region, *names = sys.argv[1:]
own = json.load(sys.stdin)
print("next\n".join(f"""\
url = "https://secretsmanager.{region}.amazonaws.com/"
aws-sigv4 = "aws:amz:{region}:secretsmanager"
user = "{own["AccessKeyId"]}:{own["SecretAccessKey"]}"
header = "X-Amz-Security-Token: {own["Token"]}"
header = "Content-Type: application/x-amz-json-1.1"
header = "X-Amz-Target: secretsmanager.GetSecretValue"
data = {json.dumps(json.dumps({"SecretId": name}))}
max-time = 20
write-out = "\x1e%{{http_code}} %{{exitcode}}\x1e"
""" for name in names))
' "$region" "$@" 2>/dev/null
) || die "the credentials of $role lack AccessKeyId, SecretAccessKey or Token"

# The answers are stored before anything reads them, each with its end: a failed request must not look like an empty
# secret. One try: a retry would put the body of the failed one before the answer, and the boot asks again by itself.
# A store that does not answer is not asked for the rest.
failed=0
answers=$(printf '%s\n' "$requests" | curl --config - --silent --fail-early) || failed=$?

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
            value = json.loads(answer)["SecretString"].encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
        why = "" if value else "no text value"
    if why:
        unread = True
        print(f"read-secret: {name} in {place}: {why}", file=sys.stderr)
    else:
        print(name, base64.b64encode(value).decode(), sep="\t")
sys.exit(unread)
' "$region" "$failed" "$@"

#!/bin/sh
# read-secret NAME: print one secret of this region's Secrets Manager, with the machine's own identity.
# Credentials and answers pass through pipes and memory only: arguments are readable by every process of a machine.
set -eu

METADATA=http://169.254.169.254/latest

die() {
  echo "read-secret: $1" >&2
  exit 1
}

[ $# -eq 1 ] || die "usage: read-secret NAME"

# The role of a young machine takes a moment to appear in its metadata, hence every error is tried again.
metadata() {
  curl --fail --silent --max-time 10 --retry 5 --retry-delay 1 --retry-all-errors --noproxy '*' "$@"
}

# field NAME: one string of the JSON object on standard input, exactly as it is.
field() {
  python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)[sys.argv[1]])' "$1" 2>/dev/null
}

session=$(metadata --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/api/token") ||
  die "the metadata service gives no session (curl $?)"
about() {
  printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$session" | metadata --config - "$METADATA/meta-data/$1"
}
region=$(about placement/region) || die "the metadata service does not tell the region (curl $?)"
role=$(about iam/security-credentials/) || die "this machine has no role (curl $?)"
credentials=$(about "iam/security-credentials/$role") || die "the role $role has no credentials (curl $?)"
id=$(printf %s "$credentials" | field AccessKeyId) || die "the credentials of $role hold no AccessKeyId"
key=$(printf %s "$credentials" | field SecretAccessKey) || die "the credentials of $role hold no SecretAccessKey"
token=$(printf %s "$credentials" | field Token) || die "the credentials of $role hold no Token"

# The answer is stored before anything reads it: in a pipe, a failed request would look like an empty secret. One try:
# a retry would put the body of the failed one before the answer, and the boot asks again by itself.
answer=$(
  printf 'user = "%s:%s"\nheader = "X-Amz-Security-Token: %s"\n' "$id" "$key" "$token" |
    curl --config - --fail-with-body --silent --max-time 20 \
      --aws-sigv4 "aws:amz:$region:secretsmanager" \
      --header 'Content-Type: application/x-amz-json-1.1' \
      --header 'X-Amz-Target: secretsmanager.GetSecretValue' \
      --data "{\"SecretId\":\"$1\"}" \
      "https://secretsmanager.$region.amazonaws.com/"
) || die "$1 in $region: ${answer:-no answer (curl $?)}"

printf %s "$answer" | field SecretString || die "$1 in $region has no text value"

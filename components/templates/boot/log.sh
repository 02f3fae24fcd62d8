# shellcheck shell=bash
# Sourced by every script of the boot. A failure leaves one line on the console and in the journal:
#   platform-boot: FAILED at step <step>: <what>; <how to fix>
# PLATFORM_ROOT prefixes every path, so that an image build or a test can run a step beside the running system.
# PLATFORM_PATIENCE is how many seconds a step waits for something outside the machine.
# shellcheck disable=SC2034 # read by the scripts that source this
set -Eeuo pipefail

root=${PLATFORM_ROOT:-}
patience=${PLATFORM_PATIENCE:-300}
settings=$root/etc/platform
library=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
step=$(basename "$0" .sh)
step=${step#[0-9][0-9]-}

log() {
  printf 'platform-boot: %s: %s\n' "$step" "$1"
}

# fail WHAT FIX
fail() {
  trap - ERR
  local line="platform-boot: FAILED at step $step: $1; $2"
  printf '%s\n' "$line" >&2
  { printf '%s\n' "$line" >"$root/dev/console"; } 2>/dev/null || true
  exit 1
}

# Names the command as it is written, never as expanded: an expansion may hold a secret.
unexpected() {
  [ "$BASH_SUBSHELL" -gt 0 ] || fail "line $1, $2" "read the lines above it in journalctl -u platform-boot"
}
trap 'unexpected "$LINENO" "$BASH_COMMAND"' ERR

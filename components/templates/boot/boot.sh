#!/bin/bash
# Brings the machine to its state, on every boot: secrets live in memory only and are read again each time.
# Steps run in the order of their numbers; the first that fails ends the boot and has said why.
set -euo pipefail

for step in "$(dirname "$0")"/steps/[0-9]*.sh; do
  "$step"
done

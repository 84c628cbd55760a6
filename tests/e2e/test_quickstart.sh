#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's first command, as somebody has it who has set nothing: an optimised build without a warning, and
# jobs that run.
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT
cd "$SCHEDD_SOURCE"
env -i PATH="$PATH" HOME="${HOME:-/}" sh server/quickstart.sh </dev/null >"$out" 2>&1 || { cat "$out"; exit 1; }
grep -q 'To install it on this machine' "$out" || { cat "$out"; exit 1; }

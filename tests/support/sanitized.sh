#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a program and fails if it failed or if any sanitizer wrote a report.
# Criterion runs tests in child processes whose leak reports do not fail them.
set -u
reports=$(mktemp -d) || exit 1
trap 'rm -rf "$reports"' EXIT
LSAN_OPTIONS="${LSAN_OPTIONS:+$LSAN_OPTIONS:}suppressions=$(dirname "$0")/leaks_of_others:print_suppressions=0" \
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$reports/asan:detect_leaks=1" \
UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$reports/ubsan:print_stacktrace=1" \
TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}log_path=$reports/tsan" \
	"$@"
status=$?
for report in "$reports"/*; do
	[ -e "$report" ] || continue
	cat "$report" >&2
	status=1
done
exit "$status"

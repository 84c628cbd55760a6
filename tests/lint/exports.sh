#!/bin/sh
# SPDX-License-Identifier: MIT
# libschedd exports what its public headers declare: nothing more, nothing less.
#   exports.sh LIBRARY
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$1" | awk '$2 ~ /[TDBRV]/ {print $3}' | grep -v '^_' | sort >"$work/exported"
for header in lib/include/schedd/*.h; do
	${CC:-cc} -E -P -std=c11 -D_GNU_SOURCE -Ilib/include -x c "$header"
done | tr '\n' ' ' | tr ';{}' '\n\n\n' | grep 'visibility("default")' |
	grep -oE 'schedd_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$work/declared"
if ! diff "$work/declared" "$work/exported" >"$work/diff"; then
	echo "declared (<) and exported (>) differ:"
	grep '^[<>]' "$work/diff"
	exit 1
fi
echo "exports: $(wc -l <"$work/exported") symbols, as declared"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Every header compiles alone, whatever was included before it.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0
# Of the client libraries that modules are made with.
clients=$(pkg-config --cflags-only-I libpq libmariadb libmongoc-1.0)
for header in $(find lib proto server cmd -name '*.h' | sort); do
	${CC:-cc} -std=c11 -D_GNU_SOURCE -DSCHEDD_VERSION='""' -Wall -Wextra -Werror -fsyntax-only \
		-Ilib -Ilib/include -I. $clients -x c "$header" || status=1
done
exit "$status"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  SQLite 3.40.1 (Debian 12: sqlite3).
# Expected:  WHERE state NOT IN (four words) of a partial index costs an inserted row four comparisons, as four <> do.
# Behaviour: from three words on, the words are put into a temporary tree anew for each row that is written, indexed or
#            not: a queue's insert took several times as long.
# Seen:      NOT IN of 2: 0 trees, of 3: 1, of 4: 1; four <>: 0
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq sqlite3=3.40.1* libsqlite3-0=3.40.1* 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH="$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")"
trees() {
	root/usr/bin/sqlite3 :memory: "CREATE TABLE runs(id INTEGER PRIMARY KEY, state TEXT);
		CREATE INDEX open ON runs(id) WHERE $1; EXPLAIN INSERT INTO runs VALUES (1, 'done');" | grep -c OpenEphemeral || :
}
printf 'NOT IN of 2: %s trees, of 3: %s, of 4: %s; four <>: %s\n' "$(trees "state NOT IN ('a', 'b')")" \
	"$(trees "state NOT IN ('a', 'b', 'c')")" "$(trees "state NOT IN ('a', 'b', 'c', 'd')")" \
	"$(trees "state <> 'a' AND state <> 'b' AND state <> 'c' AND state <> 'd'")" >out
cat out
[ "$(cat out)" = 'NOT IN of 2: 0 trees, of 3: 1, of 4: 1; four <>: 0' ]

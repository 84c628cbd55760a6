#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  MariaDB 10.11.19 (Debian 12, mariadb-server).
# Expected:  a transaction of which a statement fails because a lock was not to be had (error 1205) is undone, as it is
#            after a deadlock (error 1213).
# Behaviour: the statement alone is undone; the transaction goes on, and COMMIT stores what came before it without a word.
#            (innodb_rollback_on_timeout, off by default and not to be set while it runs, makes it undo all.)
# Seen:      after 1205: commit: no error, rows stored 1 of 2
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$dir"' EXIT
as=
if [ "$(id -u)" = 0 ]; then # the server is not to be root's
	chown mysql "$dir"
	as="setpriv --reuid=mysql --regid=mysql --clear-groups"
fi
set -- --no-defaults --datadir="$dir/data"
$as mariadb-install-db "$@" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
$as mariadbd "$@" --socket="$dir/s" --skip-networking >"$dir/log" 2>&1 &
server=$!
sql() { mariadb --no-defaults -S "$dir/s" -u root "$@"; }
tries=0
until sql -e 'SELECT 1' >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ "$tries" -lt 300 ] || { cat "$dir/log"; exit 1; }
	sleep 0.1
done
sql -e 'CREATE DATABASE d; CREATE TABLE d.t (id int PRIMARY KEY, n int); INSERT INTO d.t VALUES (1, 0), (2, 0)'
# Another holds the second row for a while.
sql -D d -e 'START TRANSACTION; UPDATE t SET n = 9 WHERE id = 2; SELECT sleep(4); ROLLBACK' >/dev/null &
other=$!
sleep 1
# --force goes on behind an error, as a program does that looks at its last answer alone.
error=no
sql -D d --force 2>"$dir/errors" <<'Q' || true
SET innodb_lock_wait_timeout = 1;
START TRANSACTION;
UPDATE t SET n = 1 WHERE id = 1;
UPDATE t SET n = 1 WHERE id = 2;
COMMIT;
Q
grep -q 'ERROR 1205' "$dir/errors" || { cat "$dir/errors"; exit 1; }
[ "$(grep -c ERROR "$dir/errors")" = 1 ] || error=an
wait "$other"
text="after 1205: commit: $error error, rows stored $(sql -D d -BNe 'SELECT count(*) FROM t WHERE n = 1') of 2"
echo "$text"
[ "$text" = 'after 1205: commit: no error, rows stored 1 of 2' ]

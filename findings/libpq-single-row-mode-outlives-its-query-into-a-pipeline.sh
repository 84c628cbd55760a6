#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  libpq and PostgreSQL 15 (Debian 12: postgresql-15, libpq5, libpq-dev).
# Expected:  single-row mode, asked for after one query was sent, ends with that query's results.
# Behaviour: where a pipeline follows, its first query comes row by row, too, and has one result more than was
#            asked for; a plain query in between ends it.
# Seen:      after single rows: SINGLE_TUPLE TUPLES_OK; with a query between: TUPLES_OK
set -eu
dir=$(mktemp -d)
trap '[ ! -s "$dir/data/postmaster.pid" ] || kill -QUIT "$(head -n 1 "$dir/data/postmaster.pid")"; sleep 0.3; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq postgresql-15 libpq5 libpq-dev 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
export LD_LIBRARY_PATH="$dir/root/usr/lib/$multiarch"
bin=$dir/root/usr/lib/postgresql/15/bin
mkdir data sock
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # the server refuses to be root's
	chown nobody data sock
	as() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"; }
fi
as "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >log 2>&1 || { cat log; exit 1; }
as "$bin/postgres" -D "$dir/data" -k "$dir/sock" -h '' >>log 2>&1 &
cat >pipeline.c <<'C'
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void drain(PGconn *db)
{
	for (PGresult *result; (result = PQgetResult(db)); PQclear(result))
		continue;
}

static void look(PGconn *db, const char *what, int between)
{
	PQsendQuery(db, "select 1");
	PQsetSingleRowMode(db);
	drain(db);
	if (between)
		PQclear(PQexec(db, "select 1"));
	PQenterPipelineMode(db);
	PQsendQueryParams(db, "select 2", 0, NULL, NULL, NULL, NULL, 0);
	PQpipelineSync(db);
	printf("%s:", what);
	for (PGresult *result; (result = PQgetResult(db)); PQclear(result))
		printf(" %s", PQresStatus(PQresultStatus(result)) + strlen("PGRES_"));
	drain(db); /* the sync */
	PQexitPipelineMode(db);
}

int main(int argc, char **argv)
{
	const char *keys[] = {"host", "user", "dbname", NULL};
	const char *values[] = {argv[argc - 1], "postgres", "postgres", NULL};
	PGconn *db = PQconnectdbParams(keys, values, 0);

	for (int tries = 0; PQstatus(db) != CONNECTION_OK && tries < 200; tries++) {
		usleep(50000);
		PQreset(db);
	}
	look(db, "after single rows", 0);
	printf("; ");
	PQclear(PQexec(db, "select 1"));
	look(db, "with a query between", 1);
	printf("\n");
	PQfinish(db);
	return 0;
}
C
cc -o pipeline pipeline.c -I"$dir/root/usr/include/postgresql" "$dir/root/usr/lib/$multiarch/libpq.so.5"
./pipeline "$dir/sock" >out
cat out
[ "$(cat out)" = 'after single rows: SINGLE_TUPLE TUPLES_OK; with a query between: TUPLES_OK' ]

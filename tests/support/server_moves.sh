#!/bin/sh
# SPDX-License-Identifier: MIT
# What tests do to a server that with_server.sh has started, each type in its own way:
#   sh server_moves.sh TYPE MOVE [WORD]
# cut: ends schedd's connections; read-only, writable: writes are refused, and are not;
# newer: the schema says it is version 99; half: something of it is missing; foreign: the store is
# empty but for something of another program's; dump: all that is there, but for who has it;
# give-to-nobody ID: the job is said to be of the account "nobody";
# narrow, narrow-rights, narrow-end: an account "narrow" that may nothing, what the manual says it
# must have, and neither;
# password WORD: that of the account "guarded", which may do all that schedd needs.
set -eu
type=$1
move=$2

postgresql() {
	end="SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'schedd'"
	case $move in
	cut) $SCHEDD_TEST_ADMIN "$end" ;;
	read-only)
		$SCHEDD_TEST_SQL 'ALTER ROLE schedd SET default_transaction_read_only = on'
		$SCHEDD_TEST_SQL "SET transaction_read_only = off; $end" ;;
	writable) $SCHEDD_TEST_SQL 'SET transaction_read_only = off; ALTER ROLE schedd RESET default_transaction_read_only' ;;
	newer) $SCHEDD_TEST_SQL "UPDATE schedd_meta SET number = 99 WHERE key = 'schema.version'" ;;
	half) $SCHEDD_TEST_SQL 'DROP TABLE schedd_changes' ;;
	foreign) $SCHEDD_TEST_SQL 'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schedd_jobs (mine int)' ;;
	dump) pg_dump -h "$SCHEDD_TEST_SERVER_DIR" -U schedd --inserts ops | grep -v -e '^--' -e '^.restrict' -e '^.unrestrict' ;;
	give-to-nobody) $SCHEDD_TEST_SQL "UPDATE schedd_jobs SET definition = replace(definition, '\"shell\"', '\"user\":\"nobody\",\"shell\"') WHERE id = '$1'" ;;
	password)
		$SCHEDD_TEST_ADMIN "DO 'BEGIN CREATE ROLE guarded LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END'"
		$SCHEDD_TEST_ADMIN "ALTER ROLE guarded PASSWORD '$1'"
		$SCHEDD_TEST_ADMIN 'GRANT schedd TO guarded; GRANT ALL ON SCHEMA public TO guarded' ;;
	narrow)
		$SCHEDD_TEST_ADMIN 'DROP ROLE IF EXISTS narrow; CREATE ROLE narrow LOGIN'
		$SCHEDD_TEST_SQL 'GRANT USAGE ON SCHEMA public TO narrow' ;;
	narrow-rights) $SCHEDD_TEST_SQL "GRANT SELECT, INSERT, UPDATE, DELETE ON schedd_meta, schedd_owner, schedd_jobs, schedd_runs, schedd_changes TO narrow" ;;
	narrow-end)
		$SCHEDD_TEST_SQL 'DROP SCHEMA public CASCADE; CREATE SCHEMA public'
		$SCHEDD_TEST_ADMIN 'DROP OWNED BY narrow; DROP ROLE narrow' ;;
	*) return 2 ;;
	esac
}

redis() {
	case $move in
	cut) $SCHEDD_TEST_SQL CLIENT KILL TYPE normal SKIPME yes ;;
	read-only) $SCHEDD_TEST_SQL CONFIG SET maxmemory 1 ;;
	writable) $SCHEDD_TEST_SQL CONFIG SET maxmemory 0 ;;
	newer) $SCHEDD_TEST_SQL HSET '{schedd:}meta' schema 99 ;;
	half) $SCHEDD_TEST_SQL DEL '{schedd:}meta' ;;
	foreign)
		$SCHEDD_TEST_SQL FLUSHDB
		$SCHEDD_TEST_SQL SET '{schedd:}jobs' mine ;;
	dump)
		$SCHEDD_TEST_SQL EVAL "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do if not key:find('lease\$') then \
			all[#all + 1] = key .. ' ' .. redis.sha1hex(redis.call('DUMP', key)) end end table.sort(all) return all" 0 ;;
	give-to-nobody)
		job=$($SCHEDD_TEST_SQL HGET '{schedd:}jobs' "$1" | sed 's/"shell"/"user":"nobody","shell"/')
		$SCHEDD_TEST_SQL HSET '{schedd:}jobs' "$1" "$job" ;;
	password) $SCHEDD_TEST_SQL ACL SETUSER guarded on resetpass ">$1" '~*' '&*' +@all ;;
	*) return 2 ;;
	esac
}

mysql() {
	end='KILL USER schedd'
	case $move in
	cut) $SCHEDD_TEST_ADMIN "$end" ;;
	read-only) $SCHEDD_TEST_ADMIN "SET GLOBAL read_only = 1; $end" ;;
	writable) $SCHEDD_TEST_ADMIN 'SET GLOBAL read_only = 0' ;;
	newer) $SCHEDD_TEST_SQL "UPDATE schedd_meta SET number = 99 WHERE \`key\` = 'schema.version'" ;;
	half) $SCHEDD_TEST_SQL 'DROP TABLE schedd_changes' ;;
	foreign) $SCHEDD_TEST_ADMIN 'DROP DATABASE ops; CREATE DATABASE ops; CREATE TABLE ops.schedd_jobs (mine int)' ;;
	dump) mariadb-dump --no-defaults -S "$SCHEDD_TEST_SERVER_SOCKET" -u root --skip-comments --skip-dump-date ops ;;
	give-to-nobody) $SCHEDD_TEST_SQL "UPDATE schedd_jobs SET definition = replace(definition, '\"shell\"', '\"user\":\"nobody\",\"shell\"') WHERE id = '$1'" ;;
	narrow) $SCHEDD_TEST_ADMIN 'DROP USER IF EXISTS narrow; CREATE USER narrow' ;;
	narrow-rights)
		for table in meta owner jobs runs changes; do
			$SCHEDD_TEST_ADMIN "GRANT SELECT, INSERT, UPDATE, DELETE ON schedd_$table TO narrow"
		done ;;
	narrow-end) $SCHEDD_TEST_ADMIN 'DROP USER narrow' ;;
	*) return 2 ;;
	esac
}

etcd() {
	case $move in
	cut)
		# One that ends meanwhile is none to cut.
		for p in $(cat "/proc/$SCHEDD_TEST_SERVER_PID/task/$SCHEDD_TEST_SERVER_PID/children"); do
			kill -KILL "$p" || :
		done ;;
	read-only)
		curl -fsS -X POST "${SCHEDD_TEST_STORE_URL}/v3/maintenance/alarm" \
			-d '{"action":"ACTIVATE","alarm":"NOSPACE"}' ;;
	writable) $SCHEDD_TEST_SQL alarm disarm ;;
	newer) $SCHEDD_TEST_SQL put /schedd/version 99 ;;
	half) $SCHEDD_TEST_SQL del /schedd/version ;;
	foreign)
		$SCHEDD_TEST_SQL del --prefix /schedd/
		$SCHEDD_TEST_SQL put /schedd/mine mine ;;
	dump) $SCHEDD_TEST_SQL get --prefix '' | sed '/^.schedd.owner$/,+1d' ;;
	give-to-nobody)
		job=$($SCHEDD_TEST_SQL get --print-value-only "/schedd/job/$1" | sed 's/"shell"/"user":"nobody","shell"/')
		$SCHEDD_TEST_SQL put "/schedd/job/$1" "$job" ;;
	*) return 2 ;;
	esac
}

mongodb() {
	case $move in
	cut) kill -USR2 "$(cat "$SCHEDD_TEST_SERVER_DIR/server.pid")" ;;
	newer) $SCHEDD_TEST_SQL 'db.schedd_meta.update_one({"_id": "schema.version"}, {"$set": {"number": 99}})' ;;
	half) $SCHEDD_TEST_SQL 'db.schedd_meta.delete_one({"_id": "schema.version"})' ;;
	foreign) $SCHEDD_TEST_SQL '(client.drop_database("ops"), db.schedd_jobs.insert_one({"mine": 1}))' ;;
	dump) $SCHEDD_TEST_SQL '[(name, list(db[name].find())) for name in sorted(db.list_collection_names())]' ;;
	give-to-nobody) $SCHEDD_TEST_SQL "[db.schedd_jobs.update_one({'_id': j['_id']}, {'\$set': {'definition': j['definition'].replace('\"shell\"', '\"user\":\"nobody\",\"shell\"')}}) for j in db.schedd_jobs.find({'_id': '$1'})]" ;;
	*) return 2 ;;
	esac
}

zookeeper() {
	case $move in
	cut)
		# One that ends meanwhile is none to cut.
		for p in $(cat "/proc/$SCHEDD_TEST_SERVER_PID/task/$SCHEDD_TEST_SERVER_PID/children"); do
			kill -KILL "$p" || :
		done ;;
	read-only)
		# What has to be taken again cannot be.
		$SCHEDD_TEST_SQL acl read /schedd/session
		$SCHEDD_TEST_SQL del /schedd/owner
		$SCHEDD_TEST_SQL acl read /schedd ;;
	writable) $SCHEDD_TEST_SQL acl all /schedd ;;
	newer) $SCHEDD_TEST_SQL put /schedd/version 99 ;;
	half) $SCHEDD_TEST_SQL del /schedd/version ;;
	foreign)
		$SCHEDD_TEST_SQL purge /schedd
		$SCHEDD_TEST_SQL put /schedd mine ;;
	dump) $SCHEDD_TEST_SQL dump /schedd | grep -v '^/schedd/owner ' | sort ;;
	give-to-nobody)
		job=$($SCHEDD_TEST_SQL get "/schedd/job/$1" | sed 's/"shell"/"user":"nobody","shell"/')
		$SCHEDD_TEST_SQL put "/schedd/job/$1" "$job" ;;
	*) return 2 ;;
	esac
}

shift 2
"$type" "$@"

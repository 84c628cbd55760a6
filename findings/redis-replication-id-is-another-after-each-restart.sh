#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Redis 7.0.15 (Debian 12: redis-server, redis-tools).
# Expected:  master_replid says which server it is: it stays when a server is stopped and started on its own files, and
#            changes when a replica takes its place; after either, master_replid2 names the one before.
# Behaviour: it is another after each start of a server that had no replica, whether it reads a snapshot or an
#            append-only file, and nothing names the one before; only a promotion does.
# Seen:      snapshot: another, before known 0; append-only: another, before known 0; promoted: another, before known 1
set -eu
dir=$(mktemp -d)
trap 'for pid in "$dir"/*.pid; do [ ! -s "$pid" ] || kill -9 "$(cat "$pid")"; done; sleep 0.2; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq redis-server=5:7.0.15* redis-tools=5:7.0.15* liblzf1 libjemalloc2 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH="$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")"
cli() { socket=$1; shift; root/usr/bin/redis-cli -s "$dir/$socket.s" "$@"; }
until_is() { # WANTED COMMAND…
	wanted=$1 tries=0; shift
	until [ "$("$@" 2>/dev/null)" = "$wanted" ]; do
		tries=$((tries + 1)); [ "$tries" -lt 300 ] || exit 1
		sleep 0.05
	done
}
start() { # NAME OPTION…
	name=$1; shift
	mkdir -p "$name"
	root/usr/bin/redis-server --port 0 --unixsocket "$dir/$name.s" --dir "$dir/$name" --pidfile "$dir/$name.pid" \
		--save '' --repl-diskless-sync-delay 0 --daemonize yes "$@" >/dev/null
	until_is PONG cli "$name" ping
}
stop() { # NAME save|nosave
	pid=$(cat "$1.pid")
	cli "$1" shutdown "$2" >/dev/null 2>&1 || true
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
id() { cli "$1" info replication | tr -d '\r' | sed -n "s/^$2://p"; }
say() { # WORDS NAME BEFORE
	[ "$(id "$2" master_replid)" = "$3" ] && printf '%s: the same' "$1" || printf '%s: another' "$1"
	[ "$(id "$2" master_replid2)" = "$3" ] && printf ', before known 1' || printf ', before known 0'
}
{
	start a; cli a set key 1 >/dev/null; before=$(id a master_replid)
	stop a save; start a
	say snapshot a "$before"
	start b --appendonly yes --appendfsync always; cli b set key 1 >/dev/null; before=$(id b master_replid)
	stop b nosave; start b --appendonly yes --appendfsync always
	printf '; '; say append-only b "$before"
	start c --port 0 --appendonly yes
	cli b config set port 17463 >/dev/null; cli c replicaof 127.0.0.1 17463 >/dev/null
	until_is 1 cli c get key
	before=$(id b master_replid); cli c replicaof no one >/dev/null
	printf '; '; say promoted c "$before"; echo
} >out
cat out
[ "$(cat out)" = 'snapshot: another, before known 0; append-only: another, before known 0; promoted: another, before known 1' ]

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  etcd 3.4.23 (Debian 12: etcd-server, etcd-client), curl.
# Expected:  who is given the port of etcd's peers by mistake, or the next server's on the same machine, is told so.
# Behaviour: that port is healthy, says its version, and takes etcdctl's reads and writes; only the JSON API is not
#            there. Two test servers on neighbouring ports can so work on each other's data unnoticed.
# Seen:      at the peers' port: healthy; put OK; read at the clients' port: b; /version 200; /v3/kv/range 404
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; } 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq etcd-server=3.4.23* etcd-client=3.4.23* 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export ETCDCTL_API=3
client=$(($(shuf -i 2500-7749 -n 1) * 4))
peer=http://127.0.0.1:$((client + 1))
client=http://127.0.0.1:$client
root/usr/bin/etcd --data-dir data --listen-client-urls "$client" --advertise-client-urls "$client" --listen-peer-urls "$peer" \
	--initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" >log 2>&1 &
server=$!
at() { root/usr/bin/etcdctl --dial-timeout 2s --command-timeout 5s --endpoints "$@"; }
tries=0
until at "$client" endpoint health >/dev/null 2>&1; do
	tries=$((tries + 1)); [ "$tries" -lt 100 ] || { cat log; exit 1; }
	sleep 0.1
done
status() { curl -s -o answer -w '%{http_code}' "$@"; }
{
	printf "at the peers' port: %s; " "$(at "$peer" endpoint health 2>&1 | sed -n 's/.* is \(healthy\):.*/\1/p')"
	printf 'put %s; ' "$(at "$peer" put a b)"
	printf "read at the clients' port: %s; " "$(at "$client" get a --print-value-only)"
	printf '/version %s; ' "$(status "$peer/version")"
	printf '/v3/kv/range %s\n' "$(status -d '{"key":"AA=="}' "$peer/v3/kv/range")"
} >out
cat out
[ "$(cat out)" = "at the peers' port: healthy; put OK; read at the clients' port: b; /version 200; /v3/kv/range 404" ]

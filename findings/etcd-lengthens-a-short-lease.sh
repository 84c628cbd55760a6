#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  etcd 3.4.23 (Debian 12: etcd-server, etcd-client).
# Expected:  a lease of one second ends a second after it was last kept alive, whatever else the server is set to.
# Behaviour: the server raises it, without an error, to half as much again as its election time-out: 2 s by default,
#            8 s where elections take 5 s. The lease of a dead owner lasts that much longer: count on what is granted.
# Seen:      asked for 1 s: granted 2 s; with --election-timeout 5000: 8 s
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; } 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq etcd-server=3.4.23* etcd-client=3.4.23* 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export ETCDCTL_API=3
granted() { # granted [OPTION…]: what a server with these options gives for a second, into the file "answer"
	rm -rf data
	root/usr/bin/etcd --data-dir data --listen-client-urls unix://localhost:1 --advertise-client-urls unix://localhost:1 \
		--listen-peer-urls unix://localhost:2 --initial-advertise-peer-urls http://localhost:2 \
		--initial-cluster default=http://localhost:2 "$@" >log 2>&1 &
	server=$!
	tries=0
	until root/usr/bin/etcdctl --endpoints unix://localhost:1 --dial-timeout 2s lease grant 1 >answer 2>/dev/null; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ] || { cat log; exit 1; }
		sleep 0.1
	done
	kill "$server"; wait "$server" 2>/dev/null || true
	server=
	sed -i 's/.*TTL(\([0-9]*\)s).*/\1 s/' answer
}
granted; first=$(cat answer)
granted --heartbeat-interval 500 --election-timeout 5000
echo "asked for 1 s: granted $first; with --election-timeout 5000: $(cat answer)" >out
cat out
[ "$(cat out)" = 'asked for 1 s: granted 2 s; with --election-timeout 5000: 8 s' ]

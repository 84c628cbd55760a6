#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Redis 7.0.15 (Debian 12: redis-server, redis-tools).
# Expected:  a number of 16 digits fits a double, so a script that adds one to an instant in microseconds stores it
#            whole, whichever way it is written.
# Behaviour: as the argument of a call and as a reply it is whole; joined to a text, and by cjson, it gets 14
#            significant digits and an exponent.
# Seen:      argument 1764576000123457; joined at:1.7645760001235e+15; cjson {"at":1.7645760001235e+15}
set -eu
dir=$(mktemp -d)
trap '[ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")"; sleep 0.2; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 .
apt-get download -qq redis-server=5:7.0.15* redis-tools=5:7.0.15* liblzf1 libjemalloc2 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH="$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")"
root/usr/bin/redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' --pidfile "$dir/pid" --daemonize yes >/dev/null
cli() { root/usr/bin/redis-cli -s "$dir/s" "$@"; }
tries=0
until [ "$(cli ping 2>/dev/null)" = PONG ]; do
	tries=$((tries + 1)); [ "$tries" -lt 200 ] || exit 1
	sleep 0.05
done
{
	cli eval "redis.call('set', 'at', ARGV[1] + 1)" 0 1764576000123456 >/dev/null
	printf 'argument %s; ' "$(cli get at)"
	printf 'joined %s; ' "$(cli eval "return 'at:' .. (ARGV[1] + 1)" 0 1764576000123456)"
	printf 'cjson %s\n' "$(cli eval "return cjson.encode(cjson.decode(ARGV[1]))" 0 '{"at":1764576000123456}')"
} >out
cat out
[ "$(cat out)" = 'argument 1764576000123457; joined at:1.7645760001235e+15; cjson {"at":1.7645760001235e+15}' ]

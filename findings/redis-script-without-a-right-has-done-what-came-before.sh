#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Redis 7.0.15 (Debian 12: redis-server, redis-tools).
# Expected:  a function that a user may call but that needs a right the user has not is refused before it writes, or
#            undone; the answer begins with NOPERM, as for a plain command.
# Behaviour: rights are looked at command by command while it runs: what came before stays written, and the answer is
#            an ERR like any other fault of a script. A store must ask for each right when it connects.
# Seen:      plain NOPERM; function ERR; written before: yes
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
cat >code <<'L'
#!lua name=half
redis.register_function('half', function(keys)
	redis.call('SET', keys[1], 'yes')
	redis.call('HSET', keys[2], 'field', 'value')
end)
L
cli -x function load <code >/dev/null
cli acl setuser narrow on nopass '~*' -@all +fcall +set >/dev/null
first() { awk 'NR == 1 { sub(/^\(error\) /, ""); print $1 }'; }
as_narrow() { cli --user narrow --pass x --no-auth-warning "$@" 2>&1 | first; }
{
	printf 'plain %s; ' "$(as_narrow hset b field value)"
	printf 'function %s; ' "$(as_narrow fcall half 2 a b)"
	printf 'written before: %s\n' "$(cli get a)"
} >out
cat out
[ "$(cat out)" = 'plain NOPERM; function ERR; written before: yes' ]

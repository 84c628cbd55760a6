#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts a private server, runs a command that finds it in its environment, and ends it:
#   sh with_server.sh postgresql COMMAND…
# SCHEDD_TEST_STORE_TYPE and _URL say where it is, SCHEDD_TEST_STORE_RESET empties it, and
# SCHEDD_TEST_SERVER_PID and _DIR let a test be rough with it, SCHEDD_TEST_MOVE does it in the type's
# own way (server_moves.sh); SCHEDD_TEST_PROXY_URL leads through a socket at which a test listens itself.
set -eu
type=$1
shift
dir=$(mktemp -d "/tmp/schedd-$type-XXXXXX")
server=
taken= # what says that the ports are ours
stop=TERM
finish() {
	if [ -f "$dir/server.pid" ]; then
		# A test may have started it anew.
		server=$(cat "$dir/server.pid")
		kill -CONT "$server" 2>/dev/null || true
		kill -"$stop" "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
		while kill -0 "$server" 2>/dev/null; do sleep 0.1; done
	fi
	rm -rf "$dir"
	[ -z "$taken" ] || rmdir "$taken"
}
mkdir "$dir/proxy"
trap finish EXIT
trap 'exit 143' TERM INT

wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { cat "$dir/log" >&2; echo "with_server: $type does not start" >&2; exit 1; }
		sleep 0.1
	done
}

# The server's command; "sh $dir/launch" does it again. SCHEDD_TEST_SERVER_CLOCK: its clock is off by what
# the file "clock" says, see clock_preload.c.
launch() {
	{
		printf exec
		if [ -n "${SCHEDD_TEST_SERVER_CLOCK:-}" ]; then
			head -c 8 /dev/zero >"$dir/clock"
			chmod 644 "$dir/clock"
			printf " env 'LD_PRELOAD=%s' 'CLOCK_OFFSET=%s'" "$SCHEDD_TEST_SERVER_CLOCK" "$dir/clock"
		fi
		for word; do printf " '%s'" "$word"; done
		echo
	} >"$dir/launch"
	sh "$dir/launch" >"$dir/log" 2>&1 &
	server=$!
	echo "$server" >"$dir/server.pid"
}

start_postgresql() {
	stop=QUIT
	bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	run=
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres "$dir"
		run="setpriv --reuid=postgres --regid=postgres --clear-groups"
	fi
	$run "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir.initdb" 2>&1 ||
		{ cat "$dir.initdb" >&2; exit 1; }
	rm -f "$dir.initdb"
	# One role has a password, which no other needs.
	{ echo 'local all guarded scram-sha-256'; cat "$dir/data/pg_hba.conf"; } >"$dir/hba"
	cat "$dir/hba" >"$dir/data/pg_hba.conf"
	# shellcheck disable=SC2086 # words
	launch $run "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=60 \
		${SCHEDD_TEST_SERVER_OPTIONS:-}
	wait_for "$bin/psql" -h "$dir" -U postgres -d postgres -Atqc 'SELECT 1'
	"$bin/psql" -h "$dir" -U postgres -d postgres -qc 'CREATE ROLE schedd LOGIN' \
		-c 'CREATE DATABASE ops OWNER schedd'
	SCHEDD_TEST_STORE_URL="postgresql://schedd@/ops?host=$dir"
	SCHEDD_TEST_SERVER_SOCKET=$dir/.s.PGSQL.5432
	SCHEDD_TEST_PROXY_SOCKET=$dir/proxy/.s.PGSQL.5432
	SCHEDD_TEST_PROXY_URL="postgresql://schedd@/ops?host=$dir/proxy"
	SCHEDD_TEST_STORE_RESET="$bin/psql -h $dir -U schedd -d ops -qc 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' 2>/dev/null"
	SCHEDD_TEST_SQL="$bin/psql -h $dir -U schedd -d ops -Atqc"
	SCHEDD_TEST_ADMIN="$bin/psql -h $dir -U postgres -d ops -Atqc"
	export SCHEDD_TEST_SQL SCHEDD_TEST_ADMIN
}

start_redis() {
	launch redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' --appendonly yes \
		--appendfsync always
	wait_for sh -c "redis-cli -s '$dir/s' PING | grep -q PONG"
	SCHEDD_TEST_STORE_URL="unix://$dir/s?db=2"
	SCHEDD_TEST_SERVER_SOCKET=$dir/s
	SCHEDD_TEST_PROXY_SOCKET=$dir/proxy/s
	SCHEDD_TEST_PROXY_URL="unix://$dir/proxy/s?db=2"
	SCHEDD_TEST_SQL="redis-cli -s $dir/s -n 2 -e"
	SCHEDD_TEST_STORE_RESET="$SCHEDD_TEST_SQL FLUSHALL >/dev/null"
	export SCHEDD_TEST_SQL
}

# Sets port: that and the three behind it are nobody else's who asks here, and nobody's just now. They lie below the
# range that others' connections are given. Two etcds side by side would answer for each other: a peer's port knows
# most of what a client's does.
take_ports() {
	while :; do
		port=$(($(shuf -i 2500-7749 -n 1) * 4))
		mkdir "/tmp/schedd-port-$port" 2>/dev/null || continue
		taken=/tmp/schedd-port-$port
		python3 -c 'import socket, sys
for port in range(int(sys.argv[1]), int(sys.argv[1]) + 4):
    socket.socket().bind(("127.0.0.1", port))' "$port" 2>/dev/null && break
		rmdir "$taken"
		taken=
	done
}

start_mysql() {
	run=
	if [ "$(id -u)" -eq 0 ]; then
		chown mysql "$dir"
		run="setpriv --reuid=mysql --regid=mysql --clear-groups"
	fi
	mkdir "$dir/tls"
	for name in ca other; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -days 3650 \
			-keyout "$dir/tls/$name.key" -out "$dir/tls/$name.crt" 2>/dev/null
	done
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "$dir/tls/server.key" 2>/dev/null |
		openssl x509 -req -CA "$dir/tls/ca.crt" -CAkey "$dir/tls/ca.key" -days 3650 -out "$dir/tls/server.crt" 2>/dev/null
	chmod 644 "$dir/tls/server.key"
	take_ports
	SCHEDD_TEST_SERVER_PORT=$port
	# Small, durable, and with all settings as nobody wants them: schedd brings its own.
	# shellcheck disable=SC2086 # words
	set -- --no-defaults --datadir="$dir/data" --tmpdir="$dir" --innodb-log-file-size=8M --innodb-buffer-pool-size=32M \
		--innodb-data-file-path=ibdata1:12M:autoextend:max:48M
	$run mariadb-install-db "$@" --auth-root-authentication-method=normal --skip-test-db >"$dir.install" 2>&1 ||
		{ cat "$dir.install" >&2; exit 1; }
	rm -f "$dir.install"
	# It measures its waits by the wall clock and ends itself where one is over 10 minutes: tests set that clock.
	# shellcheck disable=SC2086 # words
	launch $run mariadbd "$@" --socket="$dir/sock" --bind-address=127.0.0.1 --port="$SCHEDD_TEST_SERVER_PORT" \
		--pid-file="$dir/pid" --ssl-cert="$dir/tls/server.crt" --ssl-key="$dir/tls/server.key" \
		--character-set-server=latin1 --collation-server=latin1_swedish_ci --sql-mode=ANSI \
		--transaction-isolation=SERIALIZABLE --default-time-zone=+05:30 \
		--innodb-fatal-semaphore-wait-threshold=1000000 \
		${SCHEDD_TEST_SERVER_OPTIONS:-}
	admin="mariadb --no-defaults -S $dir/sock -u root"
	# shellcheck disable=SC2086 # words
	wait_for $admin -e 'SELECT 1'
	# shellcheck disable=SC2086 # words
	$admin -e 'CREATE DATABASE ops; CREATE USER schedd; GRANT ALL ON ops.* TO schedd'
	SCHEDD_TEST_STORE_URL="mysql://schedd@localhost/ops?unix_socket=$dir/sock"
	SCHEDD_TEST_SERVER_SOCKET=$dir/sock
	SCHEDD_TEST_PROXY_SOCKET=$dir/proxy/sock
	SCHEDD_TEST_PROXY_URL="mysql://schedd@localhost/ops?unix_socket=$dir/proxy/sock"
	SCHEDD_TEST_STORE_RESET="$admin -e 'DROP DATABASE IF EXISTS ops; CREATE DATABASE ops'"
	SCHEDD_TEST_SQL="mariadb --no-defaults -S $dir/sock -u schedd -D ops -BNe"
	SCHEDD_TEST_ADMIN="$admin -D ops -BNe"
	export SCHEDD_TEST_SQL SCHEDD_TEST_ADMIN SCHEDD_TEST_SERVER_PORT
}

# A shell that starts the server again when it is killed, so that its pid stays; both are stopped
# together by who signals the shell and its children.
start_etcd() {
	take_ports
	# shellcheck disable=SC2016 # the shell's own
	launch sh -c '
		dir=$1 port=$2
		child=
		trap "kill -TERM \$child 2>/dev/null; exit 0" TERM QUIT INT
		while :; do
			etcd --name t --data-dir "$dir/data" --log-level error \
				--listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
				--listen-peer-urls "http://127.0.0.1:$((port + 1))" \
				--initial-advertise-peer-urls "http://127.0.0.1:$((port + 1))" \
				--initial-cluster "t=http://127.0.0.1:$((port + 1))" &
			child=$!
			wait $child || true
			sleep 0.2
		done' etcd "$dir" "$port"
	SCHEDD_TEST_SQL="etcdctl --endpoints http://127.0.0.1:$port"
	ETCDCTL_API=3
	export SCHEDD_TEST_SQL ETCDCTL_API
	# shellcheck disable=SC2086 # words
	wait_for sh -c "$SCHEDD_TEST_SQL endpoint health 2>&1 | grep -q 'is healthy'"
	SCHEDD_TEST_STORE_URL="http://127.0.0.1:$port"
	SCHEDD_TEST_SERVER_SOCKET=$port
	SCHEDD_TEST_PROXY_SOCKET=$((port + 2))
	SCHEDD_TEST_PROXY_URL="http://127.0.0.1:$((port + 2))"
	SCHEDD_TEST_STORE_RESET="$SCHEDD_TEST_SQL del --prefix /schedd/ >/dev/null"
}

start_mongodb() {
	made=$(sh "${0%/*}/mongodb/install.sh")
	take_ports
	SCHEDD_TEST_SERVER_PORT=$port
	launch java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$made:$made/lib/*" Server "$SCHEDD_TEST_SERVER_PORT" "$dir/data"
	SCHEDD_TEST_SQL="/usr/bin/python3 ${0%/*}/mongodb/tell.py $SCHEDD_TEST_SERVER_PORT"
	# shellcheck disable=SC2086 # words
	wait_for $SCHEDD_TEST_SQL 'db.command("isMaster")'
	SCHEDD_TEST_STORE_URL="mongodb://127.0.0.1:$SCHEDD_TEST_SERVER_PORT/ops"
	SCHEDD_TEST_SERVER_SOCKET=$SCHEDD_TEST_SERVER_PORT
	SCHEDD_TEST_PROXY_SOCKET=$dir/proxy/mongodb.sock
	SCHEDD_TEST_PROXY_URL="mongodb://$(echo "$dir/proxy/mongodb.sock" | sed 's,/,%2F,g')/ops"
	SCHEDD_TEST_STORE_RESET="$SCHEDD_TEST_SQL 'client.drop_database(\"ops\")' >/dev/null"
	export SCHEDD_TEST_SQL SCHEDD_TEST_SERVER_PORT
}

# Java takes its time to start; killed, it is started again by a shell as etcd is.
start_zookeeper() {
	take_ports
	cat >"$dir/zoo.cfg" <<-END
		tickTime=500
		dataDir=$dir/data
		clientPort=$port
		clientPortAddress=127.0.0.1
		admin.enableServer=false
		4lw.commands.whitelist=*
		maxClientCnxns=0
	END
	# shellcheck disable=SC2016 # the shell's own
	launch sh -c '
		child=
		trap "kill -TERM \$child 2>/dev/null; exit 0" TERM QUIT INT
		while :; do
			java -Xmx256m -XX:+UseSerialGC -cp "/usr/share/java/*" \
				org.apache.zookeeper.server.quorum.QuorumPeerMain "$1" &
			child=$!
			wait $child || true
			sleep 0.2
		done' zookeeper "$dir/zoo.cfg"
	SCHEDD_TEST_SQL="$SCHEDD_ZOO_TOOL 127.0.0.1:$port"
	export SCHEDD_TEST_SQL
	# shellcheck disable=SC2086 # words
	wait_for $SCHEDD_TEST_SQL ready
	SCHEDD_TEST_SERVER_SOCKET=$port
	SCHEDD_TEST_PROXY_SOCKET=$((port + 2))
	SCHEDD_TEST_PROXY_URL="zookeeper://127.0.0.1:$((port + 2))/schedd"
	SCHEDD_TEST_STORE_URL="127.0.0.1:$port/schedd"
	SCHEDD_TEST_STORE_RESET="$SCHEDD_TEST_SQL purge /schedd"
}

"start_$type"
SCHEDD_TEST_STORE_TYPE=$type
SCHEDD_TEST_SERVER_PID=$server
SCHEDD_TEST_SERVER_DIR=$dir
SCHEDD_TEST_MOVE="sh ${0%/*}/server_moves.sh $type"
export SCHEDD_TEST_STORE_TYPE SCHEDD_TEST_STORE_URL SCHEDD_TEST_STORE_RESET SCHEDD_TEST_SERVER_PID SCHEDD_TEST_SERVER_DIR \
	SCHEDD_TEST_MOVE SCHEDD_TEST_SERVER_SOCKET SCHEDD_TEST_PROXY_SOCKET SCHEDD_TEST_PROXY_URL
"$@"

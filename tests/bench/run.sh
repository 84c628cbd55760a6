#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds with optimisation, runs all benchmarks and prints what they found
# beside the goals. Peers are installed where they are missing and measured in
# the same run. Not a test: figures depend on the machine and on what else it
# does.
#   sh tests/bench/run.sh [--cron] [--against BUILD [--rounds N]] [BENCH…]
#     --cron           Debian's cron too, as root; it takes two minutes
#     --against BUILD  another build folder of the preset "bench", as of an older
#                      commit: each benchmark runs in both in turns, and their
#                      medians are printed side by side
#     --rounds N       so many turns (3)
# The lines of JSON stay in build/bench/bench.jsonl.
set -eu
cd "$(dirname "$0")/../.."
build=$PWD/build/bench
cron=
against=
rounds=3
while :; do
	case ${1-} in
	--cron) cron=cron ;;
	--against | --rounds)
		[ $# -ge 2 ] || { echo "run.sh: $1 needs a value" >&2; exit 2; }
		if [ "$1" = --rounds ]; then
			rounds=$2
		else
			against=$(cd "$2" && pwd)
			[ -x "$against/server/schedd" ] || { echo "run.sh: no build in '$2'" >&2; exit 2; }
		fi
		shift
		;;
	-*) echo "run.sh: unknown option '$1'" >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
sh server/install-packages.sh build test bench
cmake --preset bench >/dev/null
cmake --build "$build" --target benchmarks >/dev/null
export PYTHONDONTWRITEBYTECODE=1
lines=$build/bench.jsonl
: >"$lines"

# run_one BENCH BUILD: its lines
run_one() {
	SCHEDD=$2/server/schedd SCHEDCTL=$2/cmd/schedctl
	export SCHEDD SCHEDCTL
	case $1 in
	next) sh tests/bench/next.sh "$2" ;;
	rpc) "$2/tests/bench/bench_rpc" "$SCHEDD" ;;
	daemon) /usr/bin/python3 tests/bench/bench_daemon.py idle ctl start instant list apply $cron ;;
	fairness) /usr/bin/python3 tests/bench/bench_fairness.py ;;
	runs) /usr/bin/python3 tests/bench/bench_runs.py ;;
	million) /usr/bin/python3 tests/bench/bench_million.py ;;
	http) /usr/bin/python3 tests/bench/bench_http.py "$2/tests/bench/bench_http" ;;
	cluster) /usr/bin/python3 tests/bench/bench_cluster.py ;;
	workers) /usr/bin/python3 tests/bench/bench_workers.py ;;
	store_server)
		for type in redis postgresql; do
			sh tests/support/with_server.sh "$type" "$2/tests/bench/bench_store_server"
			PYTHONPATH=tests/bench/peers sh tests/support/with_server.sh "$type" \
				/usr/bin/python3 tests/bench/peers/due_apscheduler.py
		done ;;
	tables) /usr/bin/python3 tests/bench/bench_tables.py read fair ${cron:+due} ;;
	*) "$2/tests/bench/bench_$1" ;;
	esac
}

if [ $# -eq 0 ]; then
	set -- next trigger zone store commits store_server jobfile memory fire spawn rpc daemon fairness runs million workers http cluster
fi
for bench; do
	if [ -z "$against" ]; then
		echo "running $bench" >&2
		run_one "$bench" "$build" >>"$lines" || echo "run.sh: $bench failed" >&2
		continue
	fi
	round=0
	while [ $((round += 1)) -le "$rounds" ]; do
		# Whoever is first has the colder machine: they take turns at that too.
		first=$against second=$build
		[ $((round % 2)) -eq 1 ] || { first=$build second=$against; }
		for side in "$first" "$second"; do
			which=now
			[ "$side" = "$build" ] || which=against
			echo "running $bench ($which, $round of $rounds)" >&2
			run_one "$bench" "$side" >"$lines.part" ||
				echo "run.sh: $bench failed ($which)" >&2
			sed "s/^{/{\"side\":\"$which\",/" "$lines.part" >>"$lines"
		done
	done
done
rm -f "$lines.part"
/usr/bin/python3 tests/bench/summary.py "$lines"

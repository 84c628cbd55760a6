#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds with optimisation, runs all benchmarks and prints what they found
# beside the goals. Peers are measured in the same run. Not a test: figures
# depend on the machine and on what else it does.
#   sh tests/bench/run.sh [--cron] [BENCH…]    --cron: Debian's cron too, as root; it takes two minutes
# The lines of JSON stay in build/bench/bench.jsonl.
set -eu
cd "$(dirname "$0")/../.."
build=build/bench
cron=
if [ "${1-}" = --cron ]; then
	cron=cron
	shift
fi
cmake --preset bench >/dev/null
cmake --build $build >/dev/null
export SCHEDD="$PWD/$build/server/schedd" SCHEDCTL="$PWD/$build/cmd/schedctl"
export PYTHONDONTWRITEBYTECODE=1
lines=$build/bench.jsonl
: >$lines

run_one() {
	echo "running $1" >&2
	case $1 in
	next) sh tests/bench/next.sh $build ;;
	rpc) $build/tests/bench/bench_rpc "$SCHEDD" ;;
	daemon) /usr/bin/python3 tests/bench/bench_daemon.py idle ctl start instant list $cron ;;
	runs) /usr/bin/python3 tests/bench/bench_runs.py ;;
	workers) /usr/bin/python3 tests/bench/bench_workers.py ;;
	*) "$build/tests/bench/bench_$1" ;;
	esac >>$lines || echo "run.sh: $1 failed" >&2
}

if [ $# -eq 0 ]; then
	set -- next trigger zone store jobfile memory fire spawn rpc daemon runs workers
fi
for bench; do
	run_one "$bench"
done
/usr/bin/python3 tests/bench/summary.py $lines

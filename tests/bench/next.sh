#!/bin/sh
# SPDX-License-Identifier: MIT
# Next fire times: ours and those peers that are installed, in turns, and the
# ratios. Debian: python3-apscheduler python3-croniter libquartz2-java
# default-jdk-headless.
#   sh tests/bench/next.sh [BUILD_DIR]
set -eu
here=$(dirname "$0")
build=${1:-build/bench}
results=$(mktemp)
trap 'rm -f "$results"' EXIT
for round in 1 2 3; do
	"$build/tests/bench/bench_next" >>"$results"
	for peer in apscheduler croniter; do
		/usr/bin/python3 "$here/peers/next_$peer.py" >>"$results" 2>/dev/null ||
			echo "next.sh: $peer is not installed" >&2
	done
	java -cp /usr/share/java/quartz2.jar:/usr/share/java/slf4j-api.jar \
		"$here/peers/NextQuartz.java" >>"$results" 2>/dev/null ||
		echo "next.sh: Quartz or a JDK is not installed" >&2
done
/usr/bin/python3 - "$results" <<'PYTHON'
import collections, json, statistics, sys

times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    row = json.loads(line)
    times[row["name"], row["peer"]].append(row["next_ns"])
for name in dict.fromkeys(name for name, _ in times):
    ours = statistics.median(times[name, "schedd"])
    answer = {"bench": "next", "name": name, "schedd_ns": round(ours, 1)}
    for peer in "quartz", "apscheduler", "croniter":
        if times[name, peer]:
            theirs = statistics.median(times[name, peer])
            answer[peer + "_ns"] = round(theirs)
            answer[peer + "_ratio"] = round(theirs / ours, 1)
    print(json.dumps(answer))
PYTHON

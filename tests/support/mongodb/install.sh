#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets the test server of type mongodb by Maven, once, and says in which directory it is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${SCHEDD_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/schedd-tests}
sum=$(cat "$here/pom.xml" "$here/Server.java" | cksum | cut -d ' ' -f 1)
to=$cache/mongodb-$sum
mkdir -p "$cache"
exec 9>"$cache/mongodb.lock"
flock 9
if [ ! -f "$to/Server.class" ]; then
	rm -rf "$to"
	mkdir "$to"
	for try in 1 2 3; do
		mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$to/lib" >&2 && break
		[ "$try" -lt 3 ] || exit 1
		sleep 5
	done
	javac -Xlint:-options -nowarn -cp "$to/lib/*" -d "$to/new" "$here/Server.java" 2>"$to/javac.log" ||
		{ cat "$to/javac.log" >&2; exit 1; }
	mv "$to/new/"* "$to/"
fi
echo "$to"

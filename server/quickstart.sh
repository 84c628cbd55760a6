#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh checkout to running jobs, in one command:
#   sh server/quickstart.sh
# Installs what is missing, builds, starts a schedd of your own in a temporary
# directory, schedules two jobs, shows their runs, and cleans up after itself.
set -eu
cd "$(dirname "$0")/.."

bold= plain=
if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
say() {
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# Shows a command as one would type it, then runs it.
show() {
	printf '$'
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	"$@"
}

say "Installing what is missing and building"
sh server/install-packages.sh build
cmake --preset release >/dev/null
cmake --build --preset release --parallel "$(nproc)" >build/release/quickstart.log 2>&1 || {
	tail -n 30 build/release/quickstart.log >&2
	exit 1
}

PATH="$PWD/build/release/server:$PWD/build/release/cmd:$PATH"
place=$(mktemp -d "${TMPDIR:-/tmp}/schedd-quickstart.XXXXXX")
export SCHEDD_SOCKET="$place/schedd.sock" SCHEDD_STATE_DIR="$place/state"
# A configuration that is there already may name jobs of its own.
export SCHEDD_CONFIG="$place/schedd.yaml"
: >"$SCHEDD_CONFIG"
daemon=
finish() {
	status=$?
	trap - EXIT INT TERM
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$place"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "Starting schedd as $(id -un), with a socket and a state directory of its own"
schedd 2>"$place/schedd.log" &
daemon=$!
schedctl -q ping --wait-ready 10s || {
	cat "$place/schedd.log" >&2
	exit 1
}

say "A job every 2 seconds, and one at 02:30 on weekdays"
# shellcheck disable=SC2016 # $SCHEDD_RUN is for the job's shell
show schedctl add --id hello --every 2s --sh 'echo "hello from run $SCHEDD_RUN at $(date +%T)"'
show schedctl add --id backup --cron '30 2 * * mon-fri' -- /bin/echo backing up
show schedctl list

say "Waiting for three runs of hello"
deadline=$(($(date +%s) + 60))
while [ "$(schedctl history hello --state success -o name | wc -l)" -lt 3 ]; do
	[ "$(date +%s)" -lt "$deadline" ] || {
		echo "quickstart.sh: no three runs within a minute; the daemon said:" >&2
		cat "$place/schedd.log" >&2
		exit 1
	}
	sleep 0.2
done
for run in $(schedctl history hello --state success -n 3 -o name); do
	show schedctl logs "$run"
done
show schedctl history

say "That was it; nothing is left running"
cat <<END
To keep a daemon of your own, type (from this directory):
  export PATH="$PWD/build/release/server:$PWD/build/release/cmd:\$PATH"
  schedd &
  schedctl add --every 15m -- /path/to/your/command
  schedctl list
  schedctl help
To install it on this machine:
  sudo cmake --install build/release
  sudo systemctl enable --now schedd
END

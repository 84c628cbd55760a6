#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are not there yet, as root or through sudo.
#   sh server/install-packages.sh build|test|bench …
set -eu

packages_of() {
	case $1 in
	build) echo gcc make cmake pkg-config libc6-dev tzdata \
		libevent-dev libmsgpack-dev libsqlite3-dev libyaml-dev libjansson-dev libncurses-dev \
		libcurl4-openssl-dev libpq-dev libhiredis-dev libzookeeper-mt-dev libmariadb-dev libmongoc-dev \
		libssl-dev libmd-dev libcrypt-dev libpam0g-dev ;;
	test) echo openssl libcriterion-dev clang libclang-rt-dev g++ gdb valgrind python3 python3-venv universal-ctags binutils dpkg-dev lintian file \
		python3-msgpack python3-jsonschema python3-yaml python3-pyte neovim zsh fish \
		nodejs libdata-messagepack-perl python3-apscheduler python3-sqlalchemy \
		python3-redis python3-psycopg2 python3-pymysql python3-flask python3-tz \
		redis-server redis-tools postgresql mariadb-server etcd-server etcd-client curl \
		maven default-jdk-headless python3-pymongo python3-kazoo \
		libzookeeper-java libnetty-java liblog4j1.2-java libslf4j-java \
		libdropwizard-metrics-java libsnappy-java \
		cron dpkg-repack ansible-core python3-crontab ruby-whenever \
		chromium chromium-driver ;;
	# Peers that benchmarks are compared with.
	bench) echo wrk python3-apscheduler python3-croniter libquartz2-java default-jdk-headless libc3p0-java libpostgresql-jdbc-java nodejs npm ;;
	*) echo "install-packages.sh: unknown set '$1' (build, test, bench)" >&2; exit 2 ;;
	esac
}

missing=
for set_name in "$@"; do
	for package in $(packages_of "$set_name"); do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
		# Another nodejs than Debian's brings its own npm, and Debian's cannot be put beside it.
		[ "$package" != npm ] || ! command -v npm >/dev/null || state=installed
		[ "$state" = installed ] || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "install-packages.sh: missing:$missing" >&2
		echo "install-packages.sh: install them as root, or install sudo" >&2
		exit 1
	}
	as_root=sudo
fi
echo "Installing:$missing"
$as_root apt-get update -qq
# By env, as sudo keeps no variables: no package may ask anything, not even about a file that is there.
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold \
	--no-install-recommends $missing

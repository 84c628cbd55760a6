#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds with the sanitizers and runs every test.
#   sh tests/run.sh [ctest arguments]
# SCHEDD_TEST_PRESET chooses the preset (default: asan).
set -eu
cd "$(dirname "$0")/.."
sh server/install-packages.sh build test
preset=${SCHEDD_TEST_PRESET:-asan}
cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$(nproc)"
# Two for each CPU: most of them wait for a server, a lease or a due time more than they work.
exec ctest --preset "$preset" --parallel "$(($(nproc) * 2))" "$@"

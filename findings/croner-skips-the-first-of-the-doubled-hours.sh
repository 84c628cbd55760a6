#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  croner 9.1.0 (npm).
# Expected:  an every-half-hour schedule goes on through the night on which 02:00-03:00 comes twice.
# Behaviour: the first pass is left out: between 01:30 and the second 02:00 lie 90 minutes.
# Seen:      2026-10-24T23:30Z 2026-10-25T01:00Z 2026-10-25T01:30Z
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && npm init -y >/dev/null && npm i --silent croner@9.1.0
cat >run.mjs <<'J'
import {Cron} from 'croner';
const times = new Cron('*/30 * * * *', {timezone: 'Europe/Berlin'})
	.nextRuns(3, new Date('2026-10-24T23:10:00Z')).map(d => d.toISOString().slice(0, 16) + 'Z').join(' ');
console.log(times);
process.exit(times === '2026-10-24T23:30Z 2026-10-25T01:00Z 2026-10-25T01:30Z' ? 0 : 1);
J
node run.mjs

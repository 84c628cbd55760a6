#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  croner 9.1.0 (npm), beside cron-parser 5.3.0 (npm).
# Expected:  5L in the weekday field is the last Friday of the month, as in Quartz, Spring and cron-parser,
#            or an error.
# Behaviour: croner (which writes it 5#L) takes 5L and lets the job run every Friday.
# Seen:      croner 2026-01-02 2026-01-09 2026-01-16; cron-parser 2026-01-30 2026-02-27 2026-03-27
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && npm init -y >/dev/null && npm i --silent croner@9.1.0 cron-parser@5.3.0
cat >run.mjs <<'J'
import {Cron} from 'croner';
import {CronExpressionParser} from 'cron-parser';
const from = '2026-01-01T00:00:00Z', day = d => d.toISOString().slice(0, 10);
const a = new Cron('0 0 * * 5L', {timezone: 'UTC'}).nextRuns(3, new Date(from)).map(day).join(' ');
const it = CronExpressionParser.parse('0 0 * * 5L', {tz: 'UTC', currentDate: from});
const b = [1, 2, 3].map(() => day(it.next())).join(' ');
console.log(`croner ${a}; cron-parser ${b}`);
process.exit(a === '2026-01-02 2026-01-09 2026-01-16' && b === '2026-01-30 2026-02-27 2026-03-27' ? 0 : 1);
J
node run.mjs

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  cron-parser 5.3.0, cron 4.4.0 (npm, with luxon 3.7.2); Europe/Berlin, 2026.
# Expected:  a job at 03:00 is safe from the clock changes: that time is there exactly once on each day of the year.
# Behaviour: on the spring day, whose 02:00 becomes 03:00, cron-parser goes on to the next day (5.0 to 5.3 do; 4.9
#            and 5.10 do not). On the autumn day cron of npm names the second 02:00 as well, an hour before.
# Seen:      cron-parser 29 March: none; cron 25 October: 02:00+01:00 03:00+01:00
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && npm init -y >/dev/null && npm i --silent cron-parser@5.3.0 cron@4.4.0 luxon@3.7.2
cat >run.cjs <<'J'
const {CronExpressionParser} = require('cron-parser'), {CronTime} = require('cron'), {DateTime} = require('luxon');
const zone = 'Europe/Berlin', expression = '0 3 * * *';
const of = (times, day) => times.map(t => DateTime.fromJSDate(t, {zone})).filter(t => t.toISODate() === day)
	.map(t => t.toFormat('HH:mmZZ')).join(' ') || 'none';
const walk = CronExpressionParser.parse(expression, {currentDate: new Date('2026-03-28T12:00:00Z'), tz: zone});
const spring = [1, 2, 3].map(() => walk.next().toDate());
const autumn = [];
for (let at = DateTime.fromISO('2026-10-24T12:00:00Z', {zone}); autumn.length < 4; autumn.push(at.toJSDate()))
	at = new CronTime(expression, zone).getNextDateFrom(at, zone);
console.log(`cron-parser 29 March: ${of(spring, '2026-03-29')}; cron 25 October: ${of(autumn, '2026-10-25')}`);
J
node run.cjs >out
cat out
[ "$(cat out)" = 'cron-parser 29 March: none; cron 25 October: 02:00+01:00 03:00+01:00' ]

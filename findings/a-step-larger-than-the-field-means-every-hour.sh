#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  celery 5.4.0, croniter 2.0.7 (PyPI), cron-parser 5.3.0, cron 4.4.0 (npm).
# Expected:  */90 in the minute field is an error (as in APScheduler, Quartz, cron-utils), or every 90 minutes.
# Behaviour: all four take it and run at minute 0 of every hour: 50 % more runs than the reader expects.
# Seen:      celery [0]; croniter 01:00 02:00 03:00; cron-parser 01:00 02:00 03:00; cron 01:00 02:00 03:00
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && python3 -m venv v && v/bin/pip -q install celery==5.4.0 croniter==2.0.7
npm init -y >/dev/null && npm i --silent cron-parser@5.3.0 cron@4.4.0 luxon@3.7.2
v/bin/python - >out <<'P'
from datetime import datetime
from celery.schedules import crontab
from croniter import croniter

it = croniter("*/90 * * * *", datetime(2026, 1, 1, 0, 1))
print("celery", sorted(crontab(minute="*/90").minute), end="; ")
print("croniter", *(it.get_next(datetime).strftime("%H:%M") for _ in range(3)), end="; ")
P
cat >run.cjs <<'J'
const {CronExpressionParser} = require('cron-parser'), {CronTime} = require('cron'), {DateTime} = require('luxon');
const from = '2026-01-01T00:01:00Z', it = CronExpressionParser.parse('*/90 * * * *', {tz: 'UTC', currentDate: from});
const a = [1, 2, 3].map(() => it.next().toISOString().slice(11, 16)).join(' ');
let at = DateTime.fromISO(from, {zone: 'utc'});
const time = new CronTime('*/90 * * * *', 'UTC');
const b = [1, 2, 3].map(() => (at = time.getNextDateFrom(at, 'UTC')).toUTC().toFormat('HH:mm')).join(' ');
console.log(`cron-parser ${a}; cron ${b}`);
J
node run.cjs >>out
cat out
[ "$(cat out)" = 'celery [0]; croniter 01:00 02:00 03:00; cron-parser 01:00 02:00 03:00; cron 01:00 02:00 03:00' ]

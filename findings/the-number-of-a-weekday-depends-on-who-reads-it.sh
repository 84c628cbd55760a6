#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  APScheduler 3.11.0, croniter 6.0.0 (PyPI), @breejs/later 4.2.0 (npm; bree's parser).
# Expected:  in five crontab fields 1 is Monday, and 0 and 7 are Sunday, as crontab(5) says. What is called
#            from_crontab or parse.cron reads them so.
# Behaviour: APScheduler counts from Monday, so that 1 is Tuesday, 6 Sunday and 7 an error; later reads 7 as Saturday.
# Seen:      APScheduler 0 Monday 1 Tuesday 7 refused; later 0 Sunday 1 Monday 7 Saturday; croniter 0 Sunday 1 Monday 7 Sunday
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && npm init -y >/dev/null && npm i --silent @breejs/later@4.2.0
python3 -m venv v && v/bin/pip -q install APScheduler==3.11.0 tzlocal==5.2 croniter==6.0.0
v/bin/python - >python <<'P'
from datetime import datetime, timezone
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

start = datetime(2026, 1, 1, tzinfo=timezone.utc)
READERS = {"APScheduler": lambda line: CronTrigger.from_crontab(line, timezone="UTC").get_next_fire_time(None, start),
           "croniter": lambda line: croniter(line, start).get_next(datetime)}

def day(read, number):
    try:
        return f"{number} {read(f'0 0 * * {number}'):%A}"
    except ValueError:
        return f"{number} refused"

for name, read in READERS.items():
    print(name, *(day(read, number) for number in (0, 1, 7)))
P
cat >run.cjs <<'J'
const later = require('@breejs/later');
later.date.UTC();
const day = number => later.schedule(later.parse.cron(`0 0 * * ${number}`)).next(1, new Date('2026-01-01T00:00:00Z'))
	.toLocaleDateString('en', {weekday: 'long', timeZone: 'UTC'});
console.log('later', ...[0, 1, 7].map(number => `${number} ${day(number)}`));
J
node run.cjs >node
echo "$(sed -n 1p python); $(cat node); $(sed -n 2p python)" >out
cat out
[ "$(cat out)" = 'APScheduler 0 Monday 1 Tuesday 7 refused; later 0 Sunday 1 Monday 7 Saturday; croniter 0 Sunday 1 Monday 7 Sunday' ]

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ns of CPU time per next fire time of croniter, one JSON line each."""
import datetime
import json
import time
import zoneinfo

from croniter import croniter

ROWS = [
    ("every minute", "* * * * *", "UTC", 3000),
    ("weekdays at 9", "0 9 * * 1-5", "UTC", 3000),
    ("29 February", "0 0 29 2 *", "UTC", 1000),
    ("02:30 Berlin", "30 2 * * *", "Europe/Berlin", 3000),
    ("last Friday", "15 10 * * L5", "UTC", 1000),
    ("every 10 s", "* * * * * */10", "UTC", 3000),
]

for name, expr, zone_name, count in ROWS:
    start = datetime.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo(zone_name))
    end = start.replace(year=2036)
    schedule = croniter(expr, start)
    begin = time.process_time_ns()
    for _ in range(count):
        if schedule.get_next(datetime.datetime) > end:
            schedule.set_current(start)
    ns = (time.process_time_ns() - begin) / count
    print(json.dumps({"bench": "next", "peer": "croniter", "name": name, "next_ns": round(ns, 1)}))

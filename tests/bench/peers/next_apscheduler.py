#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ns of CPU time per next fire time of APScheduler 3's CronTrigger, one JSON line each."""
import datetime
import json
import time

import pytz
from apscheduler.triggers.cron import CronTrigger

ROWS = [
    ("every minute", dict(minute="*"), "UTC", 3000),
    ("weekdays at 9", dict(day_of_week="0-4", hour="9", minute="0"), "UTC", 3000),
    ("29 February", dict(month="2", day="29", hour="0", minute="0"), "UTC", 2000),
    ("02:30 Berlin", dict(hour="2", minute="30"), "Europe/Berlin", 3000),
    ("last Friday", dict(day="last fri", hour="10", minute="15"), "UTC", 2000),
    ("every 10 s", dict(second="*/10"), "UTC", 3000),
]

for name, fields, zone_name, count in ROWS:
    zone = pytz.timezone(zone_name)
    trigger = CronTrigger(timezone=zone, **fields)
    start = zone.localize(datetime.datetime(2026, 1, 1))
    end = zone.localize(datetime.datetime(2036, 1, 1))
    at = start
    begin = time.process_time_ns()
    for _ in range(count):
        at = trigger.get_next_fire_time(at, at)
        if at > end:
            at = start
    ns = (time.process_time_ns() - begin) / count
    print(json.dumps({"bench": "next", "peer": "apscheduler", "name": name, "next_ns": round(ns, 1)}))

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  APScheduler 3.11.0 (PyPI) with the standard library's zoneinfo.
# Expected:  the fire time that follows one at the second 02:00 of the autumn night is the second 02:30.
# Behaviour: it is the first 02:30, an hour ago. The trigger compares wall-clock values of one tzinfo
#            object, for which Python leaves the fold out, so the doubled hour is walked in a circle.
# Seen:      after 02:00+01:00 comes 02:30+02:00 (-30 min)
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" -q install APScheduler==3.11.0 tzlocal==5.2 tzdata==2025.2
PYTHONTZPATH='' "$dir/v/bin/python" - <<'P'
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo
from apscheduler.triggers.cron import CronTrigger

berlin = ZoneInfo("Europe/Berlin")
trigger = CronTrigger.from_crontab("*/30 * * * *", timezone=berlin)
previous = datetime(2026, 10, 25, 1, 0, tzinfo=timezone.utc).astimezone(berlin)  # the second 02:00
now = (previous.astimezone(timezone.utc) + timedelta(milliseconds=3)).astimezone(berlin)
found = trigger.get_next_fire_time(previous, now)
minutes = (found.astimezone(timezone.utc) - previous.astimezone(timezone.utc)) / timedelta(minutes=1)
print(f"after {previous:%H:%M%:z} comes {found:%H:%M%:z} ({minutes:+.0f} min)" if sys.version_info >= (3, 12)
      else f"after {previous.isoformat()} comes {found.isoformat()} ({minutes:+.0f} min)")
sys.exit(minutes != -30)
P

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  croniter 6.0.0 (PyPI) with the standard library's zoneinfo; Europe/Berlin, 2026. (1.4 to 6.0 do it, 6.2.2 not.)
# Expected:  once the day of a clock change is over, a daily job is back at its hour.
# Behaviour: walked on from a fire time of that day, the job at 03:00 comes at 02:00 and again at 03:00 on the day
#            after in spring, and at 04:00 on the day after in autumn. Whoever asks anew each time sees none of it.
# Seen:      30 March: 02:00 03:00; 26 October: 04:00
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" -q install croniter==6.0.0 tzdata==2025.2
PYTHONTZPATH='' "$dir/v/bin/python" - >"$dir/out" <<'P'
from datetime import datetime
from zoneinfo import ZoneInfo
from croniter import croniter

def on(month, day):
    walk = croniter("0 3 * * *", datetime(2026, month, day - 1, 0, 50, tzinfo=ZoneInfo("Europe/Berlin")))
    times = [walk.get_next(datetime) for _ in range(4)]
    return " ".join(f"{time:%H:%M}" for time in times if (time.month, time.day) == (month, day))

print(f"30 March: {on(3, 30)}; 26 October: {on(10, 26)}")
P
cat "$dir/out"
[ "$(cat "$dir/out")" = '30 March: 02:00 03:00; 26 October: 04:00' ]

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  tzdata 2025.2 (PyPI) with Python's zoneinfo.
# Expected:  a zone whose clock changes every year does so in every year that is asked for.
# Behaviour: the changes around Ramadan follow no rule that the format can state, so the database lists them
#            up to 2087; from then on the zone stands still. Fire times of a far preview are an hour off.
# Seen:      days with offset +00:00: 2030 50, 2086 35, 2087 42, 2088 0, 2100 0
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && python3 -m venv v && v/bin/pip -q install tzdata==2025.2
PYTHONTZPATH='' v/bin/python - >out <<'P'
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

zone, zero = ZoneInfo("Africa/Casablanca"), timedelta(0)
def days(year):
    return sum((datetime(year, 1, 1, 12) + timedelta(n)).replace(tzinfo=zone).utcoffset() == zero for n in range(365))
print(", ".join(f"{year} {days(year)}" for year in (2030, 2086, 2087, 2088, 2100)))
P
cat out
[ "$(cat out)" = '2030 50, 2086 35, 2087 42, 2088 0, 2100 0' ]

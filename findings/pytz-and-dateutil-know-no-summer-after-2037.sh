#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  pytz 2025.2, python-dateutil 2.9.0.post0 (PyPI) and its own copy of the zones, tzdata 2025.2 with zoneinfo.
# Expected:  a zone whose rules have no end goes on by them: Berlin has +02:00 in July of any year to come.
# Behaviour: both read the part of the zone file that ends with 32-bit time, and not the rule at its end: from 2038 on
#            it is winter for ever. A job that they place there is an hour late for half of each year.
# Seen:      July 2037: pytz 2:00 dateutil 2:00 zoneinfo 2:00; July 2038: pytz 1:00 dateutil 1:00 zoneinfo 2:00
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" -q install pytz==2025.2 python-dateutil==2.9.0.post0 tzdata==2025.2
PYTHONTZPATH='' "$dir/v/bin/python" - >"$dir/out" <<'P'
from datetime import datetime
from zoneinfo import ZoneInfo
import dateutil.zoneinfo
import pytz

NAME = "Europe/Berlin"
shipped = dateutil.zoneinfo.get_zonefile_instance().get(NAME)

def summer(year):
    time = datetime(year, 7, 1)
    offsets = {"pytz": pytz.timezone(NAME).localize(time).utcoffset(), "dateutil": time.replace(tzinfo=shipped).utcoffset(),
               "zoneinfo": time.replace(tzinfo=ZoneInfo(NAME)).utcoffset()}
    return f"July {year}: " + " ".join(f"{name} {str(offset)[:-3]}" for name, offset in offsets.items())

print(summer(2037), summer(2038), sep="; ")
P
cat "$dir/out"
[ "$(cat "$dir/out")" = 'July 2037: pytz 2:00 dateutil 2:00 zoneinfo 2:00; July 2038: pytz 1:00 dateutil 1:00 zoneinfo 2:00' ]

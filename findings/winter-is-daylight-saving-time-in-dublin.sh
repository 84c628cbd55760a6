#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  tzdata 2025.2 (PyPI; compiled from the IANA database's main form), Python's zoneinfo, Go 1.21's or later
#            embedded time/tzdata.
# Expected:  tm_isdst is 1 in summer; an offset that is saved is positive.
# Behaviour: Irish standard time is that of the summer: isdst is 1 in January with a saving of minus one hour, and
#            0 in July. Code that takes "isdst != 0" for "the clock was put forward" moves such jobs the wrong way.
# Seen:      January isdst 1 saving -1:00 GMT; July isdst 0 saving 0:00 IST; Go says January is DST: true
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && python3 -m venv v && v/bin/pip -q install tzdata==2025.2
PYTHONTZPATH='' v/bin/python - >out <<'P'
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

parts = []
for name, month in (("January", 1), ("July", 7)):
    t = datetime(2026, month, 1, tzinfo=ZoneInfo("Europe/Dublin"))
    minutes = int(t.dst() / timedelta(minutes=1))
    sign = "-" if minutes < 0 else ""
    parts.append(f"{name} isdst {t.timetuple().tm_isdst} saving {sign}{abs(minutes) // 60}:{abs(minutes) % 60:02} {t.tzname()}")
print("; ".join(parts), end="; ")
P
printf 'module x\ngo 1.21\n' >go.mod
cat >main.go <<'G'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"
)

func main() {
	zone, _ := time.LoadLocation("Europe/Dublin")
	fmt.Println("Go says January is DST:", time.Date(2026, 1, 1, 0, 0, 0, 0, zone).IsDST())
}
G
ZONEINFO= go run . >>out
cat out
[ "$(cat out)" = 'January isdst 1 saving -1:00 GMT; July isdst 0 saving 0:00 IST; Go says January is DST: true' ]

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  croniter 2.0.7, cronsim 2.6 (PyPI), cron-parser 5.3.0 (npm), gronx v1.19.1, robfig/cron v3.0.1 (Go).
# Expected:  one crontab line, "0 0 */2 * mon", means the same days everywhere.
# Behaviour: cron itself looks at the star: a day field that begins with * is joined by AND. cronsim and gronx do
#            that (odd Mondays); croniter, cron-parser and robfig join by OR (every odd day and every Monday).
# Seen:      first three days of 2026 after 1 January:
#            AND 05 19 Feb-09 (cronsim, gronx); OR 03 05 07 (croniter, cron-parser, robfig)
set -eu
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir" && python3 -m venv v && v/bin/pip -q install croniter==2.0.7 cronsim==2.6
npm init -y >/dev/null && npm i --silent cron-parser@5.3.0
v/bin/python - >out <<'P'
from datetime import datetime
from croniter import croniter
from cronsim import CronSim

start = datetime(2026, 1, 1, 1)
it, sim = croniter("0 0 */2 * mon", start), CronSim("0 0 */2 * mon", start)
print("croniter", *(it.get_next(datetime).strftime("%m-%d") for _ in range(3)))
print("cronsim", *(next(sim).strftime("%m-%d") for _ in range(3)))
P
cat >run.cjs <<'J'
const {CronExpressionParser} = require('cron-parser');
const it = CronExpressionParser.parse('0 0 */2 * mon', {tz: 'UTC', currentDate: '2026-01-01T01:00:00Z'});
console.log('cron-parser', [1, 2, 3].map(() => it.next().toISOString().slice(5, 10)).join(' '));
J
node run.cjs >>out
printf 'module x\ngo 1.21\nrequire (\ngithub.com/robfig/cron/v3 v3.0.1\ngithub.com/adhocore/gronx v1.19.1\n)\n' >go.mod
cat >main.go <<'G'
package main

import (
	"fmt"
	"time"

	"github.com/adhocore/gronx"
	"github.com/robfig/cron/v3"
)

func main() {
	start := time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)
	schedule, _ := cron.ParseStandard("0 0 */2 * mon")
	at, text := start, "robfig"
	for i := 0; i < 3; i++ {
		at = schedule.Next(at)
		text += at.Format(" 01-02")
	}
	fmt.Println(text)
	at, text = start, "gronx"
	for i := 0; i < 3; i++ {
		at, _ = gronx.NextTickAfter("0 0 */2 * mon", at, false)
		text += at.Format(" 01-02")
	}
	fmt.Println(text)
}
G
GOFLAGS=-mod=mod GOMODCACHE="$dir/mod" go run . >>out
cat out
[ "$(sort out)" = "$(printf '%s\n' 'cron-parser 01-03 01-05 01-07' 'croniter 01-03 01-05 01-07' 'cronsim 01-05 01-19 02-09' \
	'gronx 01-05 01-19 02-09' 'robfig 01-03 01-05 01-07' | sort)" ]

#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  github.com/robfig/cron/v3 v3.0.1 (Go; the parser of Kubernetes' CronJob), cron 4.4.0 (npm).
# Expected:  29 February after 2096 is in 2104 (2100 is no leap year).
# Behaviour: robfig gives up after five years and answers the zero time, which its runner takes as "never":
#            the entry stays listed and does not run again. cron of npm throws after eight years.
# Seen:      robfig 0001-01-01; cron threw
set -eu
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir" && npm init -y >/dev/null && npm i --silent cron@4.4.0 luxon@3.7.2
printf 'module x\ngo 1.21\nrequire github.com/robfig/cron/v3 v3.0.1\n' >go.mod
cat >main.go <<'G'
package main

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	schedule, err := cron.ParseStandard("0 0 29 2 *")
	if err != nil {
		panic(err)
	}
	fmt.Println(schedule.Next(time.Date(2096, 3, 1, 0, 0, 0, 0, time.UTC)).Format("2006-01-02"))
}
G
GOFLAGS=-mod=mod GOMODCACHE="$dir/mod" go run . >robfig
cat >run.cjs <<'J'
const {CronTime} = require('cron'), {DateTime} = require('luxon');
try {
	console.log(new CronTime('0 0 29 2 *', 'UTC').getNextDateFrom(DateTime.fromISO('2096-03-01T00:00:00Z'), 'UTC').toISODate());
} catch (error) {
	console.log('threw');
}
J
node run.cjs >npm
echo "robfig $(cat robfig); cron $(cat npm)"
[ "$(cat robfig)" = 0001-01-01 ] && [ "$(cat npm)" = threw ]

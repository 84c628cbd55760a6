#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Spring Framework 6.1.14 (Maven), robfig/cron v3.0.1 (Go); Europe/Berlin, 2026.
# Expected:  a job at 02:30 every day runs once on each of the year's days.
# Behaviour: on the night on which 02:30 comes twice both name both, on the night on which it does not come
#            neither names any time. (robfig documents the spring, not the autumn.)
# Seen:      runs on 29 March, on 25 October: spring 0 2; robfig 0 2
set -eu
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
printf 'module x\ngo 1.21\nrequire github.com/robfig/cron/v3 v3.0.1\n' >go.mod
cat >main.go <<'G'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

func runs(month time.Month, day int) (count int) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	schedule, _ := cron.ParseStandard("30 2 * * *")
	at := time.Date(2026, month, day-1, 12, 0, 0, 0, zone)
	for i := 0; i < 3; i++ {
		if at = schedule.Next(at); at.Day() == day {
			count++
		}
	}
	return
}

func main() { fmt.Println("robfig", runs(3, 29), runs(10, 25)) }
G
GOFLAGS=-mod=mod GOMODCACHE="$dir/mod" go run . >out 2>log || { cat log; exit 1; }
cat >pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>org.springframework</groupId><artifactId>spring-context</artifactId><version>6.1.14</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >log 2>&1 || { cat log; exit 1; }
cat >Runs.java <<'J'
import java.time.ZoneId;
import java.time.ZonedDateTime;
import org.springframework.scheduling.support.CronExpression;

public class Runs {
	static int runs(int month, int day) {
		ZonedDateTime at = ZonedDateTime.of(2026, month, day - 1, 12, 0, 0, 0, ZoneId.of("Europe/Berlin"));
		int count = 0;
		for (int i = 0; i < 3; i++)
			count += (at = CronExpression.parse("0 30 2 * * *").next(at)).getDayOfMonth() == day ? 1 : 0;
		return count;
	}

	public static void main(String[] args) {
		System.out.println("spring " + runs(3, 29) + " " + runs(10, 25));
	}
}
J
javac -cp 'lib/*' Runs.java 2>/dev/null
java -cp 'lib/*:.' Runs 2>/dev/null >>out
cat out
[ "$(sort out)" = "$(printf '%s\n' 'robfig 0 2' 'spring 0 2')" ]
